"""The director's half of `ipvsload lab exec`: runs a program beside the IPVS table.

Frames are lines of JSON with base64 data. From the program: {"stdout": ...},
{"stderr": ...} and at the end {"exit": status}. To the program: {"stdin": ...},
where an empty one is the end of its input.
"""

import base64
import json
import os
import selectors
import socket
import subprocess
from collections import deque
from collections.abc import Sequence
from typing import IO, Any

_CHUNK = 65536
_MAX_PENDING = 4
"""Input frames that are kept for a program that does not read; then the sender must wait."""


def serve(connection: socket.socket, argv: Sequence[str]) -> None:
    """Run `argv` and pass its streams over `connection` until it ends."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
    except OSError as error:
        text = f"{argv[0]}: {error.strerror}\n".encode()
        _send(connection, stderr=base64.b64encode(text).decode())
        _send(connection, exit=126 if isinstance(error, PermissionError) else 127)
        return
    _Streams(connection, process).run()


def _send(connection: socket.socket, **frame: str | int) -> None:
    connection.sendall((json.dumps(frame) + "\n").encode())


class _Streams:
    """Passes both directions at once: neither may wait for the other."""

    def __init__(self, connection: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        self._connection = connection
        self._process = process
        self._selector = selectors.DefaultSelector()
        self._frames = b""
        self._input: deque[bytes] = deque()
        self._watched: set[str] = set()

    def run(self) -> None:
        """Pass data until the program has closed its outputs and ended."""
        process, selector = self._process, self._selector
        assert process.stdin
        assert process.stdout
        assert process.stderr
        os.set_blocking(process.stdin.fileno(), False)
        for stream, name in ((process.stdout, "stdout"), (process.stderr, "stderr")):
            selector.register(stream, selectors.EVENT_READ, name)
        self._watch(True, self._connection, selectors.EVENT_READ, "connection")
        outputs = 2
        while outputs:
            for key, _ in selector.select():
                if key.data == "stdin":
                    self._write_input()
                elif key.data == "connection":
                    if not self._receive():
                        process.kill()  # the client has closed the connection
                        return
                elif data := os.read(key.fd, _CHUNK):
                    _send(self._connection, **{key.data: base64.b64encode(data).decode()})
                else:
                    selector.unregister(key.fileobj)
                    outputs -= 1
        status = process.wait()
        _send(self._connection, exit=status if status >= 0 else 128 - status)

    def _receive(self) -> bool:
        data = os.read(self._connection.fileno(), _CHUNK)
        *lines, self._frames = (self._frames + data).split(b"\n")
        self._input.extend(base64.b64decode(json.loads(line)["stdin"]) for line in lines)
        if self._input:
            self._write_input()
        return bool(data)

    def _write_input(self) -> None:
        """Write what the program takes; read more from the client when little is pending."""
        stdin = self._process.stdin
        assert stdin
        try:
            while self._input and not stdin.closed:
                if not self._input[0]:
                    self._close_input()
                    break
                written = stdin.write(self._input[0])
                if written is None:  # it would block
                    break
                self._input[0] = self._input[0][written:]
                if not self._input[0]:
                    self._input.popleft()
        except OSError:
            self._close_input()  # the program reads no more; its exit status says the rest
        if stdin.closed:
            self._input.clear()
        self._update_watched(stdin)

    def _close_input(self) -> None:
        stdin = self._process.stdin
        assert stdin
        self._watch(False, stdin, selectors.EVENT_WRITE, "stdin")
        stdin.close()

    def _update_watched(self, stdin: IO[bytes]) -> None:
        """Watch for space in the program's input, and for more input, as needed."""
        self._watch(not stdin.closed and bool(self._input), stdin, selectors.EVENT_WRITE, "stdin")
        has_space = len(self._input) < _MAX_PENDING
        self._watch(has_space, self._connection, selectors.EVENT_READ, "connection")

    def _watch(self, wanted: bool, stream: Any, events: int, name: str) -> None:
        if name in self._watched and not wanted:
            self._watched.remove(name)
            self._selector.unregister(stream)
        elif wanted and name not in self._watched:
            self._watched.add(name)
            self._selector.register(stream, events, name)
