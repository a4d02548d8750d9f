"""The director's half of `ipvsload lab exec`: runs a program beside the IPVS table.

Frames are lines of JSON with base64 data. From the program: {"stdout": ...},
{"stderr": ...} and at the end {"exit": status}. To the program: {"stdin": ...},
where an empty one is the end of its input.
"""

import base64
import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from subprocess import PIPE, Popen
from typing import IO

_CHUNK = 65536
_SIDECAR = ("ipvsload", "collect")


def serve(connection: socket.socket, argv: Sequence[str], node: str) -> None:
    """Run `argv` and pass its streams over `connection` until it ends.

    The sidecar is there as `ipvsload collect`, also where no such command is
    installed. Ends this process when the client closes the connection before.
    """
    if tuple(argv[:2]) == _SIDECAR:
        # This interpreter's PYTHONPATH has what it needs, in a kernel's own image too.
        argv = [sys.executable, "-S", "-m", "ipvsload.sidecar.collect", *argv[2:]]
        argv[4:4] = ["--node", node, "--nat"]  # before those who say it themselves
    sending = threading.Lock()

    def send(**frame: str | int) -> None:
        with sending:
            connection.sendall((json.dumps(frame) + "\n").encode())

    try:
        process = Popen(argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, bufsize=0)
    except OSError as error:
        text = f"{argv[0]}: {error.strerror}\n".encode()
        send(stderr=base64.b64encode(text).decode())
        send(exit=126 if isinstance(error, PermissionError) else 127)
        return
    # A thread for each stream: none may wait for another.
    threading.Thread(target=_pass_input, args=(connection, process), daemon=True).start()
    errors = threading.Thread(target=_pass_output, args=(process.stderr, "stderr", send))
    errors.start()
    _pass_output(process.stdout, "stdout", send)
    errors.join()
    status = process.wait()
    send(exit=status if status >= 0 else 128 - status)


def _pass_input(connection: socket.socket, process: Popen[bytes]) -> None:
    assert process.stdin
    try:
        for line in connection.makefile("rb"):
            data = base64.b64decode(json.loads(line)["stdin"])
            with contextlib.suppress(OSError):  # it reads no more; its exit status says the rest
                if data:
                    process.stdin.write(data)
                else:
                    process.stdin.close()
    finally:
        process.kill()
        os._exit(0)


def _pass_output(stream: IO[bytes] | None, name: str, send: Callable[..., None]) -> None:
    assert stream
    try:
        while data := stream.read(_CHUNK):
            send(**{name: base64.b64encode(data).decode()})
    except OSError:
        os._exit(1)  # the client has closed the connection; the program's pipes close, too
