"""An HTTP client, its workloads, and what they recorded, for tests without Locust."""

import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer

from ipvsload.load.connection_watch import ConnectionWatch
from ipvsload.load.finished_batch import FinishedBatch
from ipvsload.load.http_client import HttpClient
from ipvsload.load.tcp_connect import Sockets
from ipvsload.load.workload import Workload
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget

Handler = Callable[[Any, Any], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Record(NamedTuple):
    """One finished request; times in ns, of whole microseconds."""

    planned: int
    start: int
    end: int
    status: int
    size: int
    client: str
    port: int
    reused: bool
    server: str | None
    error: str | None
    untaken: tuple[str, int, int] | None
    work_us: int | None


class Sending:
    """Sends to one target; everything that finished is in `records`."""

    def __init__(
        self,
        target: HttpTarget | tuple[str, int],
        sockets: Sockets | None = None,
        watch: ConnectionWatch | None = None,
    ) -> None:
        self.errors: list[Exception] = []
        self.client = HttpClient(HttpTarget(*target), sockets, self.errors.append, watch)
        self.records: list[Record] = []
        self.done: list[str] = []

    def workload(self, **spec: Any) -> Workload:
        """A workload that is not started yet."""
        return self.workload_of(Traffic(**spec))

    def workload_of(self, spec: Traffic) -> Workload:
        """The same, of what a scenario says."""
        return Workload(
            "it",
            spec,
            self.client,
            FinishedBatch(self._finished),
            self.done.append,
        )

    def play(self, **spec: Any) -> list[Record]:
        """A workload from its start to its end."""
        workload = self.workload(**spec)
        workload.start()
        workload.over.wait()
        assert workload.sent == workload.requests == len(self.records)
        assert workload.inflight == workload.users == 0
        return self.records

    def _finished(self, requests: list[Request]) -> None:
        for one in requests:
            end_us = one.planned_us + one.latency_us
            assert one.planned_us <= one.start_us <= end_us + 1 <= time.monotonic_ns() // 1000 + 1
            self.records.append(
                Record(
                    one.planned_us * 1000, one.start_us * 1000, end_us * 1000, one.status,
                    one.bytes, one.client, one.port, one.reused, one.server, one.error,
                    (one.untaken, one.idle_us, one.retried) if one.untaken else None, one.work_us,
                )
            )  # fmt: skip

    def __enter__(self) -> "Sending":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()


class Server:
    """A small server, good or evil, in this process: `handle` gets each connection."""

    def __init__(self, handle: Handler) -> None:
        self.connections: list[Any] = []

        def accepted(sock: Any, address: Any) -> None:
            self.connections.append(sock)
            try:
                handle(sock, address)
            except ConnectionError:
                pass
            finally:
                sock.close()

        self._server = StreamServer(("127.0.0.1", 0), accepted, backlog=4096, spawn=Pool())
        self._server.start()
        self.target: tuple[str, int] = self._server.address

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(timeout=0)  # and kills what handles connections


def read_request(sock: Any) -> bytes:
    """The next request's bytes, or none at the end of the connection."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = sock.recv(65_536)
        if not more:
            return b""
        data += more
    return data


def answering(answer: bytes) -> Handler:
    """Answers every request of a connection with these bytes."""

    def handle(sock: Any, _: Any) -> None:
        while read_request(sock):
            sock.sendall(answer)

    return handle


def once(answer: bytes) -> Handler:
    """Answers the first request of a connection and closes it."""

    def handle(sock: Any, _: Any) -> None:
        if read_request(sock):
            sock.sendall(answer)

    return handle


def silent(sock: Any, _: Any) -> None:
    """Takes requests and never answers."""
    while read_request(sock):
        pass


def until(condition: Callable[[], bool]) -> None:
    """Let the others work until it holds."""
    while not condition():
        gevent.sleep(0.001)


def reset(sock: Any) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # gevent closes a socket that somebody waits for in its next turn only; the kernel's goes now.
    with socket.socket() as other:
        os.dup2(other.fileno(), sock.fileno(), inheritable=False)
    sock.close()


def resetting(sock: Any, _: Any) -> None:
    read_request(sock)
    reset(sock)
