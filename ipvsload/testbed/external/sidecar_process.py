"""A sidecar that runs by a command, for as long as its samples are wanted."""

import socket
import subprocess
from collections.abc import Sequence

from ipvsload.errors import TestbedError

_END_WITHIN = 2.0


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
