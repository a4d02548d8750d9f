"""Who hears when a process's connections begin and end, if anybody does."""

from typing import Protocol


class ConnectionWatch(Protocol):
    """Is told of each connection, as it happens; each call is a part of a request's time.

    Connections are known by their local address and port. Times are `time.monotonic_ns()`.
    """

    def opened(self, client: str, port: int, now_ns: int) -> None:
        """A SYN is on its way."""

    def ended(self, client: str, port: int, now_ns: int, *, reset: bool = False) -> None:
        """Both sides close it, or the other one has `reset` it."""
