"""A request on its way and its answer: what the HTTP client and a workload both know of it.

Each user keeps one exchange for its whole life, with the connection that it
holds between requests. Nothing is made anew for a request.
"""

from typing import TYPE_CHECKING, ClassVar, Protocol

from ipvsload.load.http_response import NO_ANSWER, HttpResponse, ReadAnswer
from ipvsload.scenario.connection import Lifetime

if TYPE_CHECKING:
    from ipvsload.load.untaken_request import Untaken


class Connection(Protocol):
    """What the loop does with a connection; each is as that of a non-blocking socket."""

    def send(self, data: bytes, /) -> int:
        """How much of it was taken. Raises BlockingIOError and OSError."""

    def recv(self, size: int, /) -> bytes:
        """What has come; b"" at the end. Raises BlockingIOError and OSError."""

    def fileno(self) -> int:
        """Its descriptor."""

    def close(self) -> None:
        """Close it."""


class Owner(Protocol):
    """Who sends requests through the HTTP client: a workload."""

    message: bytes
    """The request, ready to be sent, where all of them are the same."""
    reuse: bool
    """Whether a connection may carry more than one request."""
    lifetime: Lifetime | None
    """How long it may do so; None: as long as the server lets it."""
    retry: bool
    """Whether a request that a kept connection did not take is sent again."""

    def ended(
        self, exchange: "Exchange", answer: ReadAnswer, error: str | None, now_ns: int
    ) -> bool:
        """The exchange has its answer, or an error and what came of an answer before.

        Returns whether it sends the next request now, which is its `message`. Must not block.
        """


class Exchange:
    """The present or last request of a user or an arrival, its answer and its connection.

    Times are `time.monotonic_ns()`: `planned` when the request was due, `start`
    when it was sent. `queued` says that it is to be sent, and `busy` that it is on its
    way. `client` and `port` are the local end. `response` is there where an
    answer has come in part. Where
    `one_connection` is set, no request is sent before the last connection is
    closed: then ten users are at most ten connections in the balancer's table.
    `untaken` is there where a kept connection did not take the request. `message` is
    what is sent, and `work_us` the work that it asks for, None where it does not say.
    Where connections have a lifetime, `opened` is when this one was begun, and
    `carried` how many requests it has carried.
    """

    one_connection: ClassVar[bool] = False

    __slots__ = ("busy", "carried", "client", "closing", "fd", "message", "opened", "owner",
                 "planned", "port", "queued", "response", "reused", "sock", "start", "unsent",
                 "untaken", "work_us")  # fmt: skip

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.message = owner.message
        self.work_us: int | None = None
        self.carried = 0
        self.opened = 0
        self.sock: Connection | None = None
        self.fd = -1
        self.response: HttpResponse | None = None
        self.unsent = b""
        self.queued = False
        self.busy = False
        self.planned = 0
        self.start = 0
        self.client = ""
        self.port = 0
        self.reused = False
        self.closing = False
        self.untaken: Untaken | None = None

    @property
    def in_flight(self) -> bool:
        """Whether it has a request that has not ended."""
        return self.queued or self.busy

    def broken_off(self) -> ReadAnswer:
        """What has come of an answer that will not be whole."""
        return NO_ANSWER if self.response is None else self.response.answer

    def never_sent(self, now_ns: int) -> None:
        """It is given up before it was sent: forget the last request, whose traces it has."""
        self.start = now_ns
        self.planned = self.planned or now_ns
        self.response = None
        self.client, self.port, self.reused = "", 0, False
        self.untaken = None
