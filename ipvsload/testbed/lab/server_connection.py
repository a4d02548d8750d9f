"""One client's connection to one of the lab's real servers.

httptools parses and httpbin.py answers; this keeps the order. A request that is
sent before the answer to the one before (pipelining) waits for its turn, and
reading pauses meanwhile, so that a client cannot make the server keep more
requests than came with one read.
"""

import asyncio
import struct
from collections import deque
from socket import SO_LINGER, SOL_SOCKET
from typing import cast

import httptools

from ipvsload.testbed.lab.httpbin import HttpRequest, answer, bad_request

MAX_REQUEST = 65_536
"""Longest request, with its body, in bytes; a longer one is refused."""
TICK = 0.001
"""Seconds added to each delay: uvloop's timers count whole ms, and some fire too early."""


class ServerConnection(asyncio.Protocol):
    """Serves one connection to the real server `name`; member of `peers` while open."""

    def __init__(self, name: str, peers: "set[ServerConnection]") -> None:
        self._name = name
        self._peers = peers
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._read = 0
        self._waiting: deque[HttpRequest] = deque()
        self._answering: asyncio.TimerHandle | None = None
        self._writable = True
        self._refused = False

    # From the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._peer: str = (transport.get_extra_info("peername") or ("",))[0]
        self._peers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._peers.discard(self)
        self._waiting.clear()
        if self._answering is not None:
            self._answering.cancel()

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
            data, delay = answer(request, self._name)
            if delay:
                self._transport.pause_reading()
                self._answering = asyncio.get_running_loop().call_later(
                    delay + TICK, self._send_delayed, data, request.close
                )
            else:
                self._send(data, request.close)
        if self._refused and not waiting and self._answering is None:
            self._refuse()

    def _send_delayed(self, data: bytes, close: bool) -> None:
        self._answering = None
        self._send(data, close)
        self._answer_next()
        self._resume_reading()

    def _resume_reading(self) -> None:
        if self._writable and self._answering is None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _send(self, data: bytes, close: bool) -> None:
        self._transport.write(data)
        if close:
            self._waiting.clear()
            self._transport.close()

    def _refuse(self) -> None:
        if not self._transport.is_closing():
            self._send(bad_request(self._name), True)

    def reset(self) -> None:
        """End as if the server's process had died: with RST, and without more answers."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
