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
from pathlib import Path
from typing import Any, NamedTuple

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.lab import descriptor_messages
from ipvsload.testbed.lab.kernels import AUTO
from ipvsload.testbed.lab.lab_refused import LabRefusedError
from ipvsload.testbed.lab.real_servers_client import RealServersClient
from ipvsload.testbed.lab.topology import Topology

_READY_WITHIN = 60.0
_CLOSED_WITHIN = 3.0


class ReadyKernel(NamedTuple):
    """A director's kernel that balances."""

    provider: str
    """A name of `kernels.NAMES`."""
    release: str
    booted: float
    """Seconds from its start until its first program ran; 0 for the host's own."""


class Lab:
    """A lab, which begins to come up when it is made.

    `kernel` is one of `kernels.CHOICES`. A kernel of its own loads the modules
    of `schedulers` at once, others on demand. The kernels boot while the caller
    does other work; then it calls `wait_ready`.

    Raises TestbedError where this user may not make a lab.
    """

    def __init__(
        self, topology: Topology, *, kernel: str = AUTO, schedulers: Sequence[str] = ()
    ) -> None:
        self.kernel = ReadyKernel("", "", 0.0)
        """The directors' kernel, from `wait_ready` on."""
        with ExitStack() as undo:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.enter_context(self._socket)
            with theirs:
                program = sys.executable, "-m", "ipvsload.testbed.lab.bootstrap"
                told = theirs.fileno(), os.getpid(), json.dumps(topology._asdict())
                self._supervisor = subprocess.Popen(
                    [*program, *map(str, told), kernel, *schedulers],
                    cwd=_directory(),
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                )
            undo.callback(self._end_supervisor)
            message, descriptors = self._expect("wired")
            self.socket_broker: str = message["broker"]
            self.client_namespace, self.netstat, connection, occupancy, *cables = descriptors
            """Descriptors of the client namespace and of its /proc/net/netstat."""
            undo.callback(os.close, self.client_namespace)
            undo.callback(os.close, self.netstat)
            self._packet_sockets, self.unwatched = cables, message["unwatched"]
            """Why there are no packet sockets; "" where there are."""
            undo.callback(self._close_packet_sockets)
            self.real_servers = RealServersClient(connection, occupancy, self.broken, undo)
            self._undo = undo.pop_all()

    def wait_ready(self) -> None:
        """Wait until the directors answer. Raises TestbedError."""
        message, _ = self._expect("ready")
        self.kernel = ReadyKernel(**message["kernel"])

    def release(self) -> None:
        """Have the supervisor end; `close` waits until it has."""
        self._socket.close()

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

    def take_packet_sockets(self) -> list[int]:
        """One at the near end of each cable, the caller's from now on.

        They are to be closed when the lab is: its namespace lives as long as they do.
        """
        taken, self._packet_sockets = self._packet_sockets, []
        return taken

    def _close_packet_sockets(self) -> None:
        for descriptor in self.take_packet_sockets():
            os.close(descriptor)

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a program in the client namespace with this process's streams.

        It is a child of the supervisor, so it ends with the lab. Returns its exit
        status, 128 + N for a death by signal N; 126 and 127 as a shell does.
        """
        request = {"args": list(argv), "env": dict(environment), "cwd": _directory()}
        try:
            descriptor_messages.send(self._socket, request, [0, 1, 2])
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise TestbedError("the lab's supervisor ended unexpectedly") from error
            raise UsageError("the command and its environment are too long together") from error
        message, _ = self._expect("exit", within=None)
        status: int = message["status"]
        return status if status >= 0 else 128 - status

    def broken(self) -> TestbedError | None:
        """What has died in the lab, or None; does not wait."""
        try:
            return _complaint(self._receive(0.0)[0])
        except BlockingIOError:
            return None

    def fileno(self) -> int:
        """Readable when `broken` has something to say."""
        return self._socket.fileno()

    def _expect(
        self, event: str, within: float | None = _READY_WITHIN
    ) -> tuple[dict[str, Any], list[int]]:
        message, descriptors = self._receive(within)
        if message["event"] != event:
            raise _complaint(message)
        return message, descriptors

    def _receive(self, timeout: float | None) -> tuple[dict[str, Any], list[int]]:
        self._socket.settimeout(timeout)
        try:
            message, descriptors = descriptor_messages.receive(self._socket)
        except TimeoutError:
            raise TestbedError(
                f"the lab's director was not ready within {_READY_WITHIN:.0f} s"
            ) from None
        return message or {"event": "gone"}, descriptors


def _complaint(message: dict[str, Any]) -> TestbedError:
    match message:
        case {"event": "no-kernel", "reasons": reasons}:
            tried = "\n  ".join(reasons)
            return TestbedError(f"no kernel with IPVS could be had for the lab; tried\n  {tried}")
        case {"event": "not-permitted", "reason": reason}:
            return LabRefusedError(reason)
        case {"event": "failed", "reason": reason} if "Operation not permitted" in reason:
            return LabRefusedError(reason)
        case {"event": "failed", "reason": reason}:
            return TestbedError(f"the lab could not be set up: {reason}")
        case {"event": "died", "who": who, "status": status, "log": log}:
            said = "; its last lines:" + "".join(f"\n  {line}" for line in log[-5:]) if log else ""
            return TestbedError(f"{who} ended unexpectedly with status {status}{said}")
    return TestbedError("the lab's supervisor ended unexpectedly")


def _directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        raise UsageError("the directory that this was started in is gone; cd to another") from None
