"""One client's connection to one of the lab's real servers.

`request_reader.py` parses and httpbin.py answers; this keeps the order. A request that is
sent before the answer to the one before (pipelining) waits for its turn, and
reading pauses meanwhile, so that a client cannot make the server keep more
requests than came with one read.

A server with a capacity does not notice that a client has gone before it has the
answer: like a server with threads, it looks at the connection when it reads and
when it writes. So the request keeps its place in the queue and then a worker, and
its answer is thrown away. Clients that gave up still cost work, as in life.

A connection for one request costs four system calls, and its end leaves with the answer, in
one packet: whatever the servers save, the director need not carry.
"""

import fcntl
import struct
import time
from _socket import SOCK_STREAM
from _socket import socket as _Socket  # noqa: N812
from collections import deque
from functools import partial
from socket import MSG_DONTWAIT, MSG_MORE, SHUT_WR, SO_LINGER, SOL_SOCKET
from termios import TIOCOUTQ

from ipvsload.testbed.lab import packet_loss
from ipvsload.testbed.lab.due_call import DueCall
from ipvsload.testbed.lab.httpbin import (
    HttpAnswer,
    HttpRequest,
    answer,
    bad_request,
    overloaded,
    with_timing,
)
from ipvsload.testbed.lab.listening_server import ListeningServer
from ipvsload.testbed.lab.request_reader import RequestReader
from ipvsload.testbed.lab.server_loop import EDGE, READ, WRITE
from ipvsload.testbed.lab.worker_pool import Job, WorkerPool

_RECEIVE = 65_536
_NO_LINGER = struct.pack("ii", 1, 0)


class ServerConnection:
    """Serves one connection to a real server; one of its connections while open.

    `descriptor` is what was accepted, and `peer` the client's address.
    """

    __slots__ = (
        "_answering", "_closing", "_held", "_lingering", "_peer", "_reader", "_refused",
        "_server", "_unsent", "_waiting", "_watched", "socket",
    )  # fmt: skip

    def __init__(self, server: ListeningServer, descriptor: int, peer: str) -> None:
        self._server = server
        self._peer = peer
        self.socket = _Socket(server.family, SOCK_STREAM, 0, descriptor)
        self._reader: RequestReader | None = None
        self._waiting: deque[HttpRequest] | None = None
        """Requests that came while another was being answered."""
        self._answering: DueCall | Job | None = None
        self._refused = self._closing = self._lingering = self._watched = False
        self._unsent = b""
        self._held: list[tuple[bytes, bool]] = []
        """What cannot be sent while the server is frozen, or its packets are lost."""
        server.connections.add(self)
        if server.vanished:
            packet_loss.lose(self.socket)
        self._read()

    # Reading

    def _ready(self) -> None:
        if self._unsent:
            self._write(b"", self._closing)
        self._read()

    def _read(self) -> None:
        """Read what has come, if this is the time to read."""
        server = self._server
        while not (self._answering or self._unsent or self._closing or server.frozen):
            try:
                data = self.socket.recv(_RECEIVE, MSG_DONTWAIT)
            except BlockingIOError:
                self._watch()
                return
            except OSError:
                data = b""
            if not data:
                self._close()
                return
            if not self._refused:
                self._received(data)
            if len(data) < _RECEIVE and self._watched:
                return  # the next data is told

    def _watch(self) -> None:
        if not self._watched:
            self._watched = True
            self._server.loop.watch(self.socket.fileno(), self._ready, READ | EDGE)

    def _received(self, data: bytes) -> None:
        server, reader = self._server, self._reader
        between = reader is None or reader.between
        if between:
            known = server.known.find(data, server.name, self._peer)
            if known is not None:
                self._answer(*known)
                return
        if reader is None:
            reader = self._reader = RequestReader(self._peer)
        requests = reader.feed(data)
        self._refused = reader.refused
        if between and len(requests) == 1 and reader.between and not reader.refused:
            request = requests[0]
            found = answer(request, server.name)
            server.known.keep(data, server.name, self._peer, (request, found))
            self._answer(request, found)
            return
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.extend(requests)
        self._answer_waiting()

    # Answering

    def _answer_waiting(self) -> None:
        waiting = self._waiting
        while not (self._answering or self._unsent or self._closing):
            if not waiting:
                if self._refused:
                    self._send(bad_request(self._server.name), True)
                return
            request = waiting.popleft()
            self._answer(request, answer(request, self._server.name))

    def _answer(self, request: HttpRequest, found: HttpAnswer) -> None:
        data, work = found
        server = self._server
        if server.pool is not None:
            self._have_done(server.pool, data, work, request)
        elif work:
            due = time.monotonic_ns() + round(work / server.factor * 1e9)
            send = partial(self._send_due, data, request.close)
            self._answering = server.timers.at(due, send)
        else:
            self._send(data, request.close)

    def _have_done(self, pool: WorkerPool, data: bytes, work: float, request: HttpRequest) -> None:
        """Have a worker of the server do the work, which takes its turn."""
        job = Job(work, lambda job: self._send_later(_timed(data, job), request.close))
        if not pool.take(job):
            status = pool.limits.overflow
            if status:
                self._send(overloaded(self._server.name, request, status), request.close)
            else:
                self.reset()
        elif job.ended:
            self._send(_timed(data, job), request.close)
        else:
            self._answering = job

    def _send_due(self, data: bytes, close: bool, _due: int) -> None:
        self._send_later(data, close)

    def _send_later(self, data: bytes, close: bool) -> None:
        """Send what was waited for, in the pace in which such answers are acknowledged."""
        if self.socket.fileno() >= 0:
            self._server.gate.send(self, partial(self._send_awaited, data, close))

    def _send_awaited(self, data: bytes, close: bool, counted: bool) -> bool:
        if self.socket.fileno() < 0:
            return False
        self._answering = None
        self._lingering = close and counted
        self._send(data, close)
        self._go_on()
        return self.socket.fileno() >= 0 and not self._held

    def _send(self, data: bytes, close: bool) -> None:
        self._closing = close
        if self._server.silent:
            self._lingering = False
            self._held.append((data, close))
        else:
            self._write(data, close)

    def _write(self, data: bytes, close: bool) -> None:
        """Send what was not sent and `data`; what the kernel does not take now stays unsent."""
        data = self._unsent + data
        try:
            # The end leaves in the same packet.
            sent = self.socket.send(data, MSG_DONTWAIT | MSG_MORE if close else MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close()
            return
        if sent < len(data):
            if not self._unsent:
                self._watch()
                self._server.loop.change(self.socket.fileno(), READ | WRITE | EDGE)
            self._unsent = data[sent:]
            return
        if self._unsent:
            self._unsent = b""
            self._server.loop.change(self.socket.fileno(), READ | EDGE)
        if close:
            self._end()

    def _end(self) -> None:
        """The last answer was sent."""
        if self._lingering:
            try:
                self.socket.shutdown(SHUT_WR)
            except OSError:
                self._close()
            else:
                # Whatever is told of it now is that the client has all of it, and ends, too.
                self._closing = False
                self._refused = True
                if self._watched:
                    self._read()
                else:
                    self._watch()
        else:
            self._close()

    def _go_on(self) -> None:
        """Nothing is being answered now: go on with what has come."""
        if self.socket.fileno() < 0 or self._answering or self._lingering:
            return
        self._answer_waiting()
        if self.socket.fileno() >= 0:
            self._read()

    # For the gate

    def acknowledged(self) -> bool:
        """Whether the client's kernel has all that was sent."""
        descriptor = self.socket.fileno()
        if descriptor < 0:
            return True
        return fcntl.ioctl(descriptor, TIOCOUTQ, b"\0" * 4) == b"\0" * 4

    def leave(self) -> None:
        """What is left of it is the kernel's to end."""
        if self._lingering and not self._held and not self._unsent:
            self._close()

    # For processes that take connections over

    @property
    def waits(self) -> DueCall | None:
        """What will be called, if it waits for a time and for nothing else."""
        call = self._answering
        return call if isinstance(call, DueCall) and call.pending else None

    def let_go(self) -> None:
        """Close this process's copy of it."""
        self._close()

    def take_over(self) -> None:
        """It is this process's from now on."""
        self._watched = False

    # What becomes of the server

    def go_on(self) -> None:
        """Read, or do not, and write what was held, as the server now is."""
        if not self._server.silent:
            held, self._held = self._held, []
            for data, close in held:
                if self.socket.fileno() >= 0:
                    self._write(data, close)
        self._go_on()

    def reset(self) -> None:
        """End as if the server's process had died: with RST, and without more answers."""
        self.socket.setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER)
        self._close()

    def _close(self) -> None:
        sock = self.socket
        descriptor = sock.fileno()
        if descriptor < 0:
            return
        self._server.connections.discard(self)
        if self._watched:
            self._server.loop.forget(descriptor)
        sock.close()
        if isinstance(self._answering, DueCall):
            self._answering.cancel()
        self._waiting = None
        self._closing = True
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._server.gate.left(self)


def _timed(data: bytes, job: Job) -> bytes:
    return with_timing(data, job.began - job.arrived, job.ended - job.began)
