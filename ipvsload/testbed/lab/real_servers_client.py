"""The lab's side of the conversation with the real servers' process (`real_servers.py`)."""

import contextlib
import json
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from ipvsload.errors import TestbedError

_TIMEOUT = 20.0


class RealServersClient:
    """Has real servers listen, die and be limited.

    `connection` is a descriptor of the socket to their process, `told` of the one
    on which they tell how busy they are; `undo` closes both. `broken` says what has
    died in the lab, if anything. Every method raises TestbedError.
    """

    def __init__(
        self,
        connection: int,
        told: int,
        broken: Callable[[], TestbedError | None],
        undo: ExitStack,
    ) -> None:
        self._told = told
        undo.callback(os.close, told)
        self._connection = undo.enter_context(socket.socket(fileno=connection))
        self._connection.settimeout(_TIMEOUT)
        self._answers = undo.enter_context(self._connection.makefile("rb"))
        self._broken = broken

    def wait_ready(self) -> None:
        """Wait until it listens to requests."""
        self._receive()

    def open_occupancy(self, hz: float) -> socket.socket:
        """What they tell from now on, so often a second: see `occupancy_teller.py`.

        One at a time reads it.
        """
        self.ask("tell", 0)
        # Whatever nobody has read. Made here, because gevent may have replaced sockets by now.
        pipe = socket.socket(fileno=os.dup(self._told))
        pipe.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while pipe.recv(1 << 18):
                pass
        pipe.setblocking(True)
        self.ask("tell", hz)
        return pipe

    def ask(self, verb: str, value: str | float | Sequence[str], **arguments: Any) -> None:
        """Have a command of `server_commands/` carried out, and wait until it is."""
        asked = {verb: value, **arguments}
        try:
            self._connection.sendall((json.dumps(asked) + "\n").encode())
        except OSError as error:
            raise TestbedError(f"the real servers' process is gone: {error.strerror}") from error
        answer = self._receive()
        if "error" in answer:
            raise TestbedError(f"the real servers: {verb}: {answer['error']}")

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._answers.readline()
        except TimeoutError:
            raise TestbedError(
                f"the real servers' process did not answer within {_TIMEOUT:g} s"
            ) from None
        except ConnectionResetError:
            line = b""
        if not line:
            raise self._broken() or TestbedError("the real servers' process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
