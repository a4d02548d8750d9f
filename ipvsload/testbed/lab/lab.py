"""A lab: client namespace, director with a real IPVS kernel, real servers.

This is the owner's half: it starts the keeper, waits until the director is
ready, and lets go. It knows nothing of scenarios; `ipvsload lab` uses it as it
is, and the testbed puts runs on top of it.
"""

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.lab import namespaces
from ipvsload.testbed.lab.kernels import qemu
from ipvsload.testbed.lab.supervisor import MAX_MESSAGE
from ipvsload.testbed.lab.topology import Topology

KERNELS = ("host", "uml", "qemu")
"""What can be the director, in the order in which `auto` tries them."""
_READY_WITHIN = 60.0
_CLOSED_WITHIN = 3.0
_ADVICE = """\
This user may not make the namespaces of a lab: {reason}.
Run it as root (sudo), or permit user namespaces, whichever of these applies:
  sudo sysctl -w user.max_user_namespaces=10000
  sudo sysctl -w kernel.unprivileged_userns_clone=1
  sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"""


class Lab:
    """Brings a lab up on entering the context and takes it down on leaving.

    `topology` is how many of everything to have ready; real servers
    join a virtual service only when told. `schedulers` are those whose modules
    a guest should load at once; others follow on demand. Between `start` and
    `wait_ready` the caller may do other work: the kernel boots meanwhile.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        kernel: str = "auto",
        schedulers: Sequence[str] = (),
    ) -> None:
        self._plan = {
            "kernels": _attempts(KERNELS if kernel == "auto" else (kernel,)),
            "topology": topology,
            "schedulers": list(schedulers),
            "image": str(qemu.image()),
            "owner": os.getpid(),
            "path": _import_path(),
            "keep_visible": [
                *_import_path(),
                *(sys.executable, sys.prefix, _directory(), str(qemu.image())),
            ],
        }
        self._keeper: subprocess.Popen[bytes] | None = None
        self.provider = ""
        self.release = ""
        self.boot_seconds = 0.0

    def start(self) -> None:
        """Start the keeper. Raises TestbedError where this user may not."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        with theirs:
            self._keeper = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "ipvsload.testbed.lab.supervisor",
                    str(theirs.fileno()),
                    str(os.getpid()),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )
        ours.send(json.dumps(self._plan).encode())
        message, descriptors = self._hear("wired", time.monotonic() + _READY_WITHIN)
        self.door: str = message["door"]
        self.client_namespace, servers_in, servers_out = descriptors
        self.servers_in = os.fdopen(servers_in, "wb", buffering=0)
        self.servers_out = os.fdopen(servers_out, "rb")

    def wait_ready(self) -> None:
        """Wait until the director answers. Raises TestbedError."""
        message, _ = self._hear("ready", time.monotonic() + _READY_WITHIN)
        self.provider, self.release = message["provider"], message["release"]
        self.boot_seconds = message["booted"]

    def close(self) -> None:
        """Let go: the kernel kills and removes whatever the lab had."""
        if self._keeper is None:
            return
        self._socket.close()
        try:
            self._keeper.wait(_CLOSED_WITHIN)
        except subprocess.TimeoutExpired:
            self._keeper.kill()  # stopped, perhaps; what it holds dies with it
            self._keeper.wait()
        self._keeper = None
        for stream in (getattr(self, "servers_in", None), getattr(self, "servers_out", None)):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        if hasattr(self, "client_namespace"):
            os.close(self.client_namespace)

    def __enter__(self) -> "Lab":
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def enter_client_namespace(self) -> None:
        """From here on this thread's sockets are in the client namespace (as root)."""
        namespaces.setns(self.client_namespace)

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a program in the client namespace with this process's streams.

        It is a child of the keeper, so it goes with the lab. Returns its exit
        status, 128 + N for a death by signal N; 126 and 127 as a shell does.
        """
        request = {"argv": list(argv), "env": dict(environment), "cwd": _directory()}
        try:
            socket.send_fds(self._socket, [json.dumps({"run": request}).encode()], [0, 1, 2])
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise TestbedError("the lab's keeper ended unexpectedly") from error
            raise UsageError("the command and its environment are too long together") from error
        while True:
            message = self._receive(None)[0]
            match message:
                case {"event": "exit", "status": int(status)}:
                    return status if status >= 0 else 128 - status
                case {"event": "not-run"}:
                    print(f"ipvsload: {argv[0]}: {message['reason']}", file=sys.stderr)  # noqa: T201
                    return 127 if message["missing"] else 126
                case _:
                    raise TestbedError(_complaint(message))

    def broken(self) -> TestbedError | None:
        """What died in the lab, if anything did; does not wait."""
        try:
            data = self._socket.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        return TestbedError(_complaint(json.loads(data) if data else {"event": "gone"}))

    def fileno(self) -> int:
        """Readable when `broken` has something to say."""
        return self._socket.fileno()

    def _hear(self, event: str, deadline: float) -> tuple[dict[str, Any], list[int]]:
        message, descriptors = self._receive(deadline - time.monotonic())
        if message["event"] != event:
            raise TestbedError(_complaint(message))
        return message, descriptors

    def _receive(self, timeout: float | None) -> tuple[dict[str, Any], list[int]]:
        self._socket.settimeout(timeout)
        try:
            data, descriptors, _, _ = socket.recv_fds(self._socket, MAX_MESSAGE, 3)
        except TimeoutError:
            raise TestbedError(
                f"the lab's director was not ready within {_READY_WITHIN:.0f} s"
            ) from None
        return (json.loads(data) if data else {"event": "gone"}), descriptors


def _complaint(message: dict[str, Any]) -> str:
    match message:
        case {"event": "no-kernel", "reasons": reasons}:
            tried = "\n  ".join(reasons)
            return f"no kernel with IPVS could be had for the lab; tried\n  {tried}"
        case {"event": "not-permitted", "reason": reason}:
            return _ADVICE.format(reason=reason)
        case {"event": "failed", "reason": reason} if "Operation not permitted" in reason:
            return _ADVICE.format(reason=reason)
        case {"event": "failed", "reason": reason}:
            return f"the lab could not be set up: {reason}"
        case {"event": "died", "who": who, "status": status, "log": log}:
            said = "; its last words:" + "".join(f"\n  {line}" for line in log[-5:]) if log else ""
            return f"{who} ended unexpectedly with status {status}{said}"
    return "the lab's keeper ended unexpectedly"


def _attempts(kernels: Sequence[str]) -> list[str]:
    """What the keeper tries in turn; a virtual machine by each accelerator: qemu/kvm, qemu/tcg."""
    machines = [f"qemu/{accelerator}" for accelerator in qemu.working_accelerators()]
    return [name for kernel in kernels for name in (machines if kernel == "qemu" else [kernel])]


def _import_path() -> list[str]:
    """Where the guest's interpreter finds this package and its dependencies."""
    # Found, not imported: pyroute2 takes a quarter of a second.
    origins = (find_spec(name) for name in ("ipvsload", "pyroute2"))
    places = (str(Path(spec.origin).parents[1]) for spec in origins if spec and spec.origin)
    return list(dict.fromkeys(places))


def _directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        raise UsageError("the directory that this was started in is gone; cd to another") from None
