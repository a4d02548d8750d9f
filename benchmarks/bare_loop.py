"""How fast a plain loop in Python is that does nothing but send, receive and remember.

It is no load generator: it has one class, no timeout, no error but its end, and it writes
nothing. `benchmarks.load` has it beside the others, to show what there is to be had.
Run as `python -m benchmarks.bare_loop CONNECTION REQUESTS ADDRESS PORT`; prints, as
JSON, requests/s and its µs of the processor for each.
"""

import _socket
import json
import select
import sys
import time

USERS = 10
_IN, _OUT, _RDHUP, _EDGE = 0x1, 0x4, 0x2000, 1 << 31
_OK = b"HTTP/1.1 200 "

Done = list[tuple[int, int, int]]
"""Start, latency in ns, and bytes of each request."""


def message(connection: str) -> bytes:
    """A request as `ab` sends it."""
    return b"GET /ip HTTP/1.1\r\nHost: bench\r\nConnection: %b\r\n\r\n" % connection.encode()


def kept(target: tuple[str, int], requests: int) -> Done:
    """Each user on one connection."""
    ask, poll, now = message("keep-alive"), select.epoll(), time.monotonic_ns
    users: dict[int, tuple[_socket.socket, list[int]]] = {}
    done: Done = []
    left = requests - USERS
    for _ in range(USERS):
        sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        sock.connect(target)
        sock.setblocking(False)
        poll.register(sock.fileno(), _IN | _EDGE)
        users[sock.fileno()] = sock, [now()]
        sock.send(ask)
    while len(done) < requests:
        for fd, _ in poll.poll():
            sock, start = users[fd]
            data = sock.recv(16_384)
            end = now()
            assert data.startswith(_OK), data
            done.append((start[0], end - start[0], len(data)))
            if left:
                left -= 1
                start[0] = end
                sock.send(ask)
    return done


def new(target: tuple[str, int], requests: int) -> Done:
    """A connection for each request, which the server closes."""
    ask, poll, now = message("close"), select.epoll(), time.monotonic_ns
    users: dict[int, list[int]] = {}
    socks: dict[int, _socket.socket] = {}
    done: Done = []

    def begin() -> None:
        sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK)
        fd = sock.fileno()
        socks[fd], users[fd] = sock, [now(), 0]
        sock.connect_ex(target)
        poll.register(fd, _IN | _OUT | _RDHUP | _EDGE)

    for _ in range(USERS):
        begin()
    begun = USERS
    while len(done) < requests:
        for fd, mask in poll.poll():
            user, sock = users[fd], socks[fd]
            if not user[1]:
                user[1] = sock.send(ask)
                if mask == _OUT:
                    continue
            try:
                data = sock.recv(16_384)
            except BlockingIOError:
                continue
            if data:
                assert data.startswith(_OK), data
                done.append((user[0], now() - user[0], len(data)))
            if not data or mask & _RDHUP:
                sock.close()
                if begun < requests:
                    begun += 1
                    begin()
    return done


if __name__ == "__main__":
    connection, requests, address, port = sys.argv[1:]
    began, cpu = time.monotonic(), time.process_time()
    done = (new if connection == "new" else kept)((address, int(port)), int(requests))
    cpu_us = (time.process_time() - cpu) / len(done) * 1e6
    print(json.dumps([len(done) / (time.monotonic() - began), cpu_us]))
