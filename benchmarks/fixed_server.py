"""The least that can answer a request: the same bytes for each, at the addresses in argv."""

import select
import socket
import sys
from typing import Any

_BODY = b'{\n  "origin": "192.0.2.101"\n}\n'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
ANSWER = _HEAD % len(_BODY) + _BODY


def main() -> None:
    """Serve until killed."""
    poll = select.epoll()
    listeners: dict[int, Any] = {}
    for name in sys.argv[1:]:
        host, _, port = name.rpartition(":")
        listener = socket.create_server((host, int(port)), backlog=65_535)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        listeners[listener.fileno()] = listener
        poll.register(listener.fileno(), select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for descriptor, _ in poll.poll():
            connection, _ = listeners[descriptor].accept()
            connection.recv(4096)
            connection.send(ANSWER, socket.MSG_MORE)
            connection.close()


if __name__ == "__main__":
    main()
