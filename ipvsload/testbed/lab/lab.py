"""A lab: client namespace, directors with a real IPVS kernel, real servers.

This is the owner's half: it starts the supervisor, waits until the directors are
ready, and ends it. It knows nothing of scenarios: `lab_testbed.py` puts the
services of runs on top of it.
"""

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.schedulers import module_of
from ipvsload.testbed.lab import namespaces
from ipvsload.testbed.lab.kernels import AUTO
from ipvsload.testbed.lab.kernels.providers import KERNELS
from ipvsload.testbed.lab.plan import MAX_MESSAGE, LabPlan, ReadyKernel
from ipvsload.testbed.lab.real_servers_client import RealServersClient
from ipvsload.testbed.lab.topology import Topology

_READY_WITHIN = 60.0
_CLOSED_WITHIN = 3.0
_ADVICE = """\
This user may not make the namespaces of a lab: {reason}.
Run it as root (sudo), or permit user namespaces, whichever of these applies:
  sudo sysctl -w user.max_user_namespaces=10000
  sudo sysctl -w kernel.unprivileged_userns_clone=1
  sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"""


class Lab:
    """A lab, which begins to come up when it is made.

    `kernel` is a name in KERNELS or "auto". A kernel of its own loads the modules
    of `schedulers` at once, others on demand. The kernels boot while the caller
    does other work; then it calls `wait_ready`. Or it enters the lab as a
    context, which waits until it is ready and closes it at the end.

    Raises TestbedError where this user may not make a lab.
    """

    def __init__(
        self, topology: Topology, *, kernel: str = AUTO, schedulers: Sequence[str] = ()
    ) -> None:
        plan = _plan(topology, kernel, schedulers)
        self.kernel = ReadyKernel("", "", 0.0)
        """The directors' kernel, from `wait_ready` on."""
        with ExitStack() as undo:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.enter_context(self._socket)
            with theirs:
                self._supervisor = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "ipvsload.testbed.lab.bootstrap"),
                        *(str(theirs.fileno()), str(os.getpid())),
                    ],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                )
            undo.callback(self._end_supervisor)
            self._socket.send(plan.encode())
            message, descriptors = self._expect("wired")
            self.socket_broker: str = message["broker"]
            self._client_namespace, stdin, stdout = descriptors
            undo.callback(os.close, self._client_namespace)
            self.real_servers = RealServersClient(stdin, stdout, self.broken, undo)
            self._undo = undo.pop_all()

    def wait_ready(self) -> None:
        """Wait until every director answers. Raises TestbedError."""
        message, _ = self._expect("ready")
        self.kernel = ReadyKernel(**message["kernel"])

    def close(self) -> None:
        """End the supervisor: the kernel kills and removes whatever the lab had."""
        self._undo.close()

    def _end_supervisor(self) -> None:
        self._socket.close()
        try:
            self._supervisor.wait(_CLOSED_WITHIN)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()  # it may be stopped (SIGSTOP); the lab ends with it
            self._supervisor.wait()

    def __enter__(self) -> "Lab":
        try:
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def enter_client_namespace(self) -> None:
        """Move this thread to the client namespace, where its sockets are from then on.

        Raises OSError; it needs root.
        """
        namespaces.setns(self._client_namespace)

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a program in the client namespace with this process's streams.

        It is a child of the supervisor, so it ends with the lab. Returns its exit
        status, 128 + N for a death by signal N; 126 and 127 as a shell does.
        """
        request = {"argv": list(argv), "env": dict(environment), "cwd": _directory()}
        try:
            socket.send_fds(self._socket, [json.dumps({"run": request}).encode()], [0, 1, 2])
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise TestbedError("the lab's supervisor ended unexpectedly") from error
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
        """What has died in the lab, or None; does not wait."""
        try:
            data = self._socket.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        return TestbedError(_complaint(json.loads(data) if data else {"event": "gone"}))

    def fileno(self) -> int:
        """Readable when `broken` has something to say."""
        return self._socket.fileno()

    def _expect(self, event: str) -> tuple[dict[str, Any], list[int]]:
        message, descriptors = self._receive(_READY_WITHIN)
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
            said = "; its last lines:" + "".join(f"\n  {line}" for line in log[-5:]) if log else ""
            return f"{who} ended unexpectedly with status {status}{said}"
    return "the lab's supervisor ended unexpectedly"


def _plan(topology: Topology, kernel: str, schedulers: Sequence[str]) -> LabPlan:
    kernels = [KERNELS[name] for name in (KERNELS if kernel == AUTO else (kernel,))]
    import_path = _import_path()
    files = [path for provider in kernels for path in provider.files()]
    return LabPlan(
        topology,
        {provider.name: provider.variants() for provider in kernels},
        ["ip_vs", *map(module_of, schedulers)],
        import_path,
        [*import_path, sys.executable, sys.prefix, _directory(), *files],
        os.getpid(),
    )


def _import_path() -> list[str]:
    """Where the director's interpreter finds this package and pyroute2."""
    # Not by an import: that of pyroute2 takes a quarter of a second.
    origins = (find_spec(name) for name in ("ipvsload", "pyroute2"))
    places = (str(Path(spec.origin).parents[1]) for spec in origins if spec and spec.origin)
    return list(dict.fromkeys(places))


def _directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        raise UsageError("the directory that this was started in is gone; cd to another") from None
