"""One client's connection to one of the lab's real servers.

httptools parses and httpbin.py answers; this keeps the order. A request that is
sent before the answer to the one before (pipelining) waits for its turn, and
reading pauses meanwhile, so that a client cannot make the server keep more
requests than came with one read.

A server with a capacity does not notice that a client has gone before it has the
answer: like a server with threads, it looks at the connection when it reads and
when it writes. So the request keeps its place in the queue and then a worker, and
its answer is thrown away. Clients that gave up still cost work, as in life.
"""

import asyncio
import struct
import time
from collections import deque
from functools import partial
from socket import SO_LINGER, SOL_SOCKET
from typing import cast

import httptools

from ipvsload.testbed.lab import packet_loss
from ipvsload.testbed.lab.due_call import DueCall
from ipvsload.testbed.lab.httpbin import (
    HttpRequest,
    answer,
    bad_request,
    overloaded,
    with_timing,
)
from ipvsload.testbed.lab.listening_server import ListeningServer
from ipvsload.testbed.lab.worker_pool import Job, WorkerPool

MAX_REQUEST = 65_536
"""Longest request, with its body, in bytes; a longer one is refused."""


class ServerConnection(asyncio.Protocol):
    """Serves one connection to a real server; one of its connections while open."""

    def __init__(self, server: ListeningServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._read = 0
        self._waiting: deque[HttpRequest] = deque()
        self._answering: DueCall | Job | None = None
        self._writable = True
        self._refused = False
        self._held: list[tuple[bytes, bool]] = []
        """What cannot be sent while the server is frozen, or its packets are lost."""

    # From the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._peer: str = (transport.get_extra_info("peername") or ("",))[0]
        self._server.connections.add(self)
        if self._server.frozen:
            self._transport.pause_reading()
        if self._server.vanished:
            packet_loss.lose(self.socket)
        if self._server.dead:
            self.reset()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._waiting.clear()
        if isinstance(self._answering, DueCall):
            self._answering.cancel()
        del self._parser  # which knows this object: a circle

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._read += len(data)
        try:
            self._parser.feed_data(data)
            if self._read > MAX_REQUEST:
                raise httptools.HttpParserError("too long")
        except httptools.HttpParserUpgrade:
            # The request itself is answered; what follows it is not HTTP.
            self._refused = True
            self._waiting.append(self._waiting.pop()._replace(close=True))
        except httptools.HttpParserError:
            self._refused = True
        self._answer_next()

    def pause_writing(self) -> None:
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._writable = True
        self._answer_next()
        self._resume_reading()

    # From the parser

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_message_complete(self) -> None:
        parser = self._parser
        close = not parser.should_keep_alive()
        self._read = 0
        self._waiting.append(
            HttpRequest(parser.get_method(), self._target, self._headers, self._peer, close)
        )

    # Answering

    def _answer_next(self) -> None:
        waiting = self._waiting
        while waiting and self._answering is None and self._writable:
            request = waiting.popleft()
            data, work = answer(request, self._server.name)
            if self._server.pool is not None:
                self._have_done(self._server.pool, data, work, request)
            elif work:
                self._transport.pause_reading()
                due = time.monotonic_ns() + round(work / self._server.factor * 1e9)
                send = partial(self._send_delayed, data, request.close)
                self._answering = self._server.timers.at(due, send)
            else:
                self._send(data, request.close)
        if self._refused and not waiting and self._answering is None:
            self._refuse()

    def _have_done(self, pool: WorkerPool, data: bytes, work: float, request: HttpRequest) -> None:
        """Have a worker of the server do the work, which takes its turn."""
        job = Job(work, lambda job: self._send_done(data, request.close, job))
        if not pool.take(job):
            status = pool.limits.overflow
            if status:
                self._send(overloaded(self._server.name, request, status), request.close)
            else:
                self.reset()
        elif job.ended:
            self._send(_timed(data, job), request.close)
        else:
            self._transport.pause_reading()
            self._answering = job

    def _send_done(self, data: bytes, close: bool, job: Job) -> None:
        if not self._transport.is_closing():
            self._send_delayed(_timed(data, job), close)

    def _send_delayed(self, data: bytes, close: bool, _due: int = 0) -> None:
        self._answering = None
        self._send(data, close)
        self._answer_next()
        self._resume_reading()

    def _resume_reading(self) -> None:
        free = self._writable and self._answering is None and not self._server.frozen
        if free and not self._transport.is_closing():
            self._transport.resume_reading()

    def _send(self, data: bytes, close: bool) -> None:
        if self._server.silent:
            self._held.append((data, close))
            return
        self._transport.write(data)
        if close:
            self._waiting.clear()
            self._transport.close()

    def _refuse(self) -> None:
        if not self._transport.is_closing():
            self._send(bad_request(self._server.name), True)

    # What becomes of the server

    @property
    def socket(self) -> packet_loss.AnySocket:
        return cast("packet_loss.AnySocket", self._transport.get_extra_info("socket"))

    def go_on(self) -> None:
        if self._transport.is_closing():
            return
        if self._server.frozen:
            self._transport.pause_reading()
        if not self._server.silent:
            held, self._held = self._held, []
            for data, close in held:
                self._send(data, close)
        self._resume_reading()

    def reset(self) -> None:
        """End as if the server's process had died: with RST, and without more answers."""
        self._waiting.clear()
        self.socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def _timed(data: bytes, job: Job) -> bytes:
    return with_timing(data, job.began - job.arrived, job.ended - job.began)
