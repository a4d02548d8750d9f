"""The director's half of `ipvsload lab exec`: a program beside the table.

Frames are JSON lines with base64 data: from the program {"stdout": ...},
{"stderr": ...} and at last {"exit": status}; to it {"stdin": ...}, where an
empty one is the end of its input.
"""

import base64
import json
import os
import selectors
import socket
import subprocess
from collections.abc import Mapping, Sequence

_CHUNK = 65536


def serve(connection: socket.socket, argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Run `argv` and carry its streams over `connection` until it ends."""

    def send(**frame: str | int) -> None:
        connection.sendall((json.dumps(frame) + "\n").encode())

    try:
        process = subprocess.Popen(
            argv,
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
    except OSError as error:
        send(stderr=base64.b64encode(f"{argv[0]}: {error.strerror}\n".encode()).decode())
        send(exit=126 if isinstance(error, PermissionError) else 127)
        return
    assert process.stdout
    assert process.stderr
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ, "stdout")
    selector.register(process.stderr, selectors.EVENT_READ, "stderr")
    selector.register(connection, selectors.EVENT_READ, "stdin")
    pending = b""
    open_outputs = 2
    while open_outputs:
        for key, _ in selector.select():
            data = os.read(key.fd, _CHUNK)
            if key.data != "stdin":
                if data:
                    send(**{key.data: base64.b64encode(data).decode()})
                else:
                    selector.unregister(key.fileobj)
                    open_outputs -= 1
                continue
            if not data:  # whoever asked has left
                process.kill()
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                _feed(process, base64.b64decode(json.loads(line)["stdin"]))
    status = process.wait()
    send(exit=status if status >= 0 else 128 - status)


def _feed(process: "subprocess.Popen[bytes]", data: bytes) -> None:
    assert process.stdin
    try:
        if data:
            process.stdin.write(data)
        else:
            process.stdin.close()
    except OSError:
        pass  # it reads no more; its exit tells the rest
