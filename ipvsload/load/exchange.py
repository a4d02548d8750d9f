"""A request on its way: what the wire and the flows both know of it.

Users and arrivals keep one of these for life, with the connection that it
holds between requests; nothing is made anew for a request but its answer.
"""

from typing import TYPE_CHECKING, ClassVar, Protocol

from ipvsload.load.http_response import Answer

if TYPE_CHECKING:
    from _socket import socket


class Owner(Protocol):
    """Who has requests on the wire: a flow."""

    message: bytes
    """The request, ready to be sent."""
    reuse: bool
    """Whether a connection may carry more than one request."""

    def ended(self, call: "Call", error: str | None) -> None:
        """The call has its answer, or an error. Must not block."""


class Call:
    """A user's (or an arrival's) present or last request, and its connection.

    Times are `time.monotonic_ns()`. `client` and `port` are the local end. A
    `patient` one sends no request before its last connection is closed: ten
    users then are ten connections at most in the balancer's table, too.
    """

    patient: ClassVar[bool] = False

    __slots__ = ("answer", "busy", "client", "fd", "owner", "parting", "planned", "port", "queued",
                 "retried", "reused", "sock", "start", "unsent")  # fmt: skip

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.sock: socket | None = None
        self.fd = -1
        self.answer = Answer()
        self.unsent = b""
        self.queued = False
        self.busy = False
        self.planned = 0
        self.start = 0
        self.client = ""
        self.port = 0
        self.reused = False
        self.retried = False
        self.parting = False
