"""The table of a director that is there already, read by a command of its owner."""

import socket
import subprocess
import time
from collections.abc import Callable, Sequence

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import join_key, split_key
from ipvsload.ipvs.table import VirtualService
from ipvsload.record.sidecar_stream import Hello, Reading, SidecarParser, StreamError
from ipvsload.testbed.external.owner_command import OwnerCommand

_END_WITHIN = 2.0
_SHOWN_WITHIN = 20.0
_SERVICES_SHOWN = 10


class DirectorTable:
    """What `command` reads of the virtual service at `host` and `port`.

    `command` runs `ipvsload collect` beside the table, and takes its options.
    It may be empty: then nothing can be read. Raises UsageError for one that
    cannot be split into words.
    """

    def __init__(self, command: str, host: str, port: int) -> None:
        self._command = OwnerCommand("--sidecar", command)
        self.readable = bool(self._command)
        self.kernel = ""
        """The director's kernel, as the last reading said; "" before the first."""
        self._host, self._port = host, port

    def open_samples(self, hz: float) -> "SidecarProcess":
        """Start the command. Raises TestbedError."""
        return SidecarProcess([*self._checked_command().words, "--hz", f"{hz:g}"])

    def service(self) -> VirtualService:
        """Read the table once; the service that the address reaches. Raises TestbedError."""
        services = self._read().services
        try:
            address = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0][4]
        except OSError as error:
            raise TestbedError(f"cannot resolve {self._host!r}: {error.strerror}") from None
        key = join_key(str(address[0]), self._port)
        exact = [one for one in services if one.key == key]
        # Behind an address translation only the port may be the same.
        same_port = [one for one in services if split_key(one.key).port == self._port]
        for found in (exact, same_port):
            if len(found) == 1:
                return found[0]
        known = ", ".join(one.key for one in services[:_SERVICES_SHOWN]) or "none"
        raise TestbedError(
            f"the balancer's table has no service for http://{self._host}:{self._port}; it has"
            f" {known}"
        )

    def wait_for(self, shows: Callable[[VirtualService], bool], what: str) -> VirtualService:
        """Read the service until it `shows` what was set. Raises TestbedError."""
        deadline = time.monotonic() + _SHOWN_WITHIN
        while not shows(found := self.service()):
            if time.monotonic() > deadline:
                raise TestbedError(
                    f"the table of {found.key} does not show {what} within"
                    f" {_SHOWN_WITHIN:.0f} s of the command that was to set it"
                )
        return found

    def _read(self) -> Reading:
        command = self._checked_command()
        done = command.run("--count", "1")
        try:
            messages = SidecarParser().feed(done.stdout)
        except StreamError as error:
            raise command.error(command.words, str(error)) from None
        for message in messages:
            if isinstance(message, Hello):
                self.kernel = message.kernel
            if isinstance(message, Reading):
                return message
        raise command.failure(done)

    def _checked_command(self) -> OwnerCommand:
        if not self.readable:
            raise TestbedError(
                "nothing reads the balancer's table: give --sidecar a command that does, such as"
                " 'ssh director sudo ipvsload collect'"
            )
        return self._command


class SidecarProcess:
    """A running command; its standard input and output are one stream."""

    def __init__(self, command: Sequence[str]) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    start_new_session=True,
                )
            except OSError as error:
                self._ours.close()
                raise TestbedError(f"--sidecar {command[0]}: {error.strerror}") from None

    def recv(self, size: int) -> bytes:
        """What it has written; b"" at the end."""
        return self._ours.recv(size)

    def sendall(self, data: bytes) -> None:
        """Write to its standard input."""
        self._ours.sendall(data)

    def close(self) -> None:
        """End it: by the end of its streams, then by signals. Calling it again does nothing."""
        self._ours.close()
        for end in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(_END_WITHIN)
            except subprocess.TimeoutExpired:
                end()
        self._process.wait()
