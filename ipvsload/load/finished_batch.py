"""Finished requests, handed on many at once.

Whoever takes them pays once for a batch what it would pay for each request. Nobody sees that
they were kept for a while: the HTTP client hands them on before another greenlet has its turn,
and a workload before it says that it is done.
"""

from collections.abc import Callable

from ipvsload.load.exchange import Exchange
from ipvsload.load.http_response import ReadAnswer
from ipvsload.record.format import Request

_new = tuple.__new__
_TAKEN: tuple[None, int, int] = (None, 0, 0)
"""What a record says of a request that its connection took."""


class FinishedBatch:
    """The requests that have ended since they were last handed on, in that order.

    Args:
        hand_on: takes some. It must not block. What it raises ends the client
            (`HttpClient.fail`).
        run: the run's number in their record.
        zero_ns: when the record's time is zero, by `time.monotonic_ns()`.
    """

    def __init__(
        self, hand_on: Callable[[list[Request]], None], run: int = 0, zero_ns: int = 0
    ) -> None:
        self._hand_on = hand_on
        self.run = run
        self.zero_ns = zero_ns
        self.requests: list[Request] = []

    def add(
        self, traffic: str, exchange: Exchange, answer: ReadAnswer, error: str | None, end_ns: int
    ) -> None:
        """The exchange's request has ended, with this error if any, and is of this class.

        Called for every request. What a NamedTuple does by itself costs twice as much.
        """
        zero_ns, planned, start = self.zero_ns, exchange.planned, exchange.start
        planned_us = (planned - zero_ns) // 1000
        untaken, idle_us, retried = exchange.untaken or _TAKEN
        self.requests.append(
            _new(
                Request,
                (
                    self.run,
                    traffic,
                    planned_us,
                    planned_us if start == planned else (start - zero_ns) // 1000,
                    (end_ns - planned) // 1000,
                    answer.status if error is None else 0,
                    answer.size,
                    exchange.client,
                    exchange.port,
                    exchange.reused,
                    answer.server,
                    error,
                    untaken,
                    idle_us,
                    retried,
                    exchange.work_us,
                    answer.queue_us,
                    0,
                ),
            )
        )

    def hand_over(self) -> None:
        """Hand on all that are here."""
        if self.requests:
            requests, self.requests = self.requests, []
            self._hand_on(requests)
