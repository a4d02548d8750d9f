"""The lab's end of the conversation with the director's agent."""

import base64
import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.testbed.lab.topology import CONTROL_PORT, director

DIRECTOR = (director(1).client_side, CONTROL_PORT)
_TIMEOUT = 20.0


def connect(connection: socket.socket) -> socket.socket:
    """Connects a socket of the client namespace to the agent. Raises TestbedError."""
    try:
        connection.settimeout(_TIMEOUT)
        connection.connect(DIRECTOR)
    except OSError as error:
        raise TestbedError(f"the director does not answer on {DIRECTOR}: {error}") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Control:
    """One question at a time, one answer each, with a deadline; `connection` is a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connect(connection)
        self._reader = self._connection.makefile("rb")

    def ask(self, verb: str, **arguments: Any) -> Any:
        """Have the agent carry out `verb`. Raises TestbedError with its reason."""
        try:
            self._connection.sendall((json.dumps({"do": verb, **arguments}) + "\n").encode())
            line = self._reader.readline()
        except OSError as error:
            raise TestbedError(f"the director did not answer to {verb!r}: {error}") from error
        if not line:
            raise TestbedError(f"the director closed the connection at {verb!r}")
        answer = json.loads(line)
        if "error" in answer:
            what = verb.replace("_", " ")
            raise TestbedError(f"the director could not {what}: {answer['error']}")
        return answer["done"]

    def close(self) -> None:
        """Leave."""
        self._reader.close()
        self._connection.close()


def open_samples(connection: socket.socket, hz: float) -> socket.socket:
    """Start the sidecar; the socket is its standard input and output."""
    connect(connection)
    connection.sendall((json.dumps({"do": "collect", "hz": hz}) + "\n").encode())
    connection.settimeout(None)
    return connection


def run_beside_table(argv: Sequence[str]) -> int:
    """Run a program in the director with this process's streams; its exit status."""
    connection = connect(socket.socket())
    connection.settimeout(None)
    connection.sendall((json.dumps({"do": "exec", "argv": list(argv)}) + "\n").encode())
    threading.Thread(target=_send_stdin, args=(connection,), daemon=True).start()
    streams = {"stdout": sys.stdout.buffer, "stderr": sys.stderr.buffer}
    for line in _lines(connection):
        for name, value in json.loads(line).items():
            if name == "exit":
                return int(value)
            streams[name].write(base64.b64decode(value))
            streams[name].flush()
    raise TestbedError("the director went away while the program ran")


def _lines(connection: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        yield from connection.makefile("rb")


def _send_stdin(connection: socket.socket) -> None:
    data = b"-"
    with contextlib.suppress(OSError):  # the program has ended; its status tells the rest
        while data:
            data = os.read(0, 65536)
            frame = {"stdin": base64.b64encode(data).decode()}
            connection.sendall((json.dumps(frame) + "\n").encode())
