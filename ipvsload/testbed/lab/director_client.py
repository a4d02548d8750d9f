"""The lab's side of the conversation with the director's agent (`director_agent.py`)."""

import base64
import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Sequence
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.testbed.lab.topology import CONTROL_PORT, director

_TIMEOUT = 20.0


def connect(connection: socket.socket) -> socket.socket:
    """Connect a socket of the client namespace to the directors' agent. Raises TestbedError."""
    address = director(1).client_side, CONTROL_PORT
    try:
        connection.settimeout(_TIMEOUT)
        connection.connect(address)
    except OSError as error:
        raise TestbedError(f"the director does not answer on {address}: {error}") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class DirectorClient:
    """One question at a time, one answer each; `connection` is a socket that is not connected."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connect(connection)
        self._reader = self._connection.makefile("rb")
        self._asking = threading.Lock()

    def ask(self, verb: str, **arguments: Any) -> Any:
        """Have the agent do `verb`. Raises TestbedError with the agent's reason."""
        question = (json.dumps({"do": verb, **arguments}) + "\n").encode()
        try:
            with self._asking:
                self._connection.sendall(question)
                line = self._reader.readline()
        except OSError as error:
            raise TestbedError(f"the director did not answer to {verb!r}: {error}") from error
        if not line:
            raise TestbedError(f"the director closed the connection at {verb!r}")
        answer = json.loads(line)
        if "error" in answer:
            what = str(arguments.get("change", verb)).replace("_", " ")
            raise TestbedError(f"the director could not {what}: {answer['error']}")
        return answer["done"]

    def close(self) -> None:
        """End the conversation."""
        self._reader.close()
        self._connection.close()


def open_samples(connection: socket.socket, hz: float) -> socket.socket:
    """Start the directors' sidecar; the socket is its standard input and output."""
    connect(connection)
    connection.sendall((json.dumps({"do": "collect", "hz": hz}) + "\n").encode())
    connection.settimeout(None)
    return connection


def run_beside_table(argv: Sequence[str], number: int) -> int:
    """Run a program in director `number` with this process's streams; its exit status."""
    connection = connect(socket.socket())
    connection.settimeout(None)
    request = {"do": "exec", "argv": list(argv), "director": number}
    connection.sendall((json.dumps(request) + "\n").encode())
    threading.Thread(target=_send_stdin, args=(connection,), daemon=True).start()
    streams = {"stdout": sys.stdout.buffer, "stderr": sys.stderr.buffer}
    with contextlib.suppress(ConnectionResetError):
        for line in connection.makefile("rb"):
            for name, value in json.loads(line).items():
                if name == "exit":
                    return int(value)
                streams[name].write(base64.b64decode(value))
                streams[name].flush()
    raise TestbedError("the director went away while the program ran")


def _send_stdin(connection: socket.socket) -> None:
    data = b"-"
    with contextlib.suppress(OSError):  # the program has ended; its exit status says the rest
        while data:
            data = os.read(0, 65536)
            frame = {"stdin": base64.b64encode(data).decode()}
            connection.sendall((json.dumps(frame) + "\n").encode())
