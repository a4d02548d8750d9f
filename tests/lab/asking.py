"""Plain sockets that ask one of the lab's real servers."""

import socket
from typing import Any

Target = tuple[str, int]
TIMEOUT = 20


def connect(target: Target) -> socket.socket:
    return socket.create_connection(target, timeout=TIMEOUT)


def exchange(target: Target, data: bytes) -> bytes:
    """Everything that the server says to these bytes until it closes."""
    with connect(target) as sock:
        sock.sendall(data)
        return b"".join(iter(lambda: sock.recv(65_536), b""))


def get(target: Target, path: str, *headers: str, method: str = "GET") -> tuple[int, Any, str]:
    """Status, headers by lower-case name, and body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: there", "Connection: close", *headers, "", ""]
    head, _, body = exchange(target, "\r\n".join(lines).encode()).decode().partition("\r\n\r\n")
    status, *rest = head.split("\r\n")
    return int(status.split()[1]), {k.lower(): v for k, v in (r.split(": ", 1) for r in rest)}, body
