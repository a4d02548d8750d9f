"""Who hears when a process's connections begin and end, if anybody does."""

from enum import IntEnum
from typing import Protocol


class ConnectionEnd(IntEnum):
    """How a connection ended: which packets of it pass a director."""

    CLOSED = 1
    """Both sides send FIN."""
    RESET = 2
    """The other side has sent RST."""
    UNANSWERED = 3
    """The SYN was never answered, and the client gives up without a word."""


class ConnectionWatch(Protocol):
    """Is told of each connection, as it happens; each call is a part of a request's time.

    Connections are known by their local address and port. Times are `time.monotonic_ns()`.
    """

    def opened(self, client: str, port: int, now_ns: int) -> None:
        """A SYN is on its way."""

    def ended(self, client: str, port: int, now_ns: int, how: ConnectionEnd) -> None:
        """It is over."""
