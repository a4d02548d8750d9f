"""How many answers that took time may be on their way at once.

Thousands of requests that are held open end in the same moment. Sent at once, their answers
would need more room than a director has in front of its network cards; what is lost there is
sent again 0.2 s later, and what has to wait for longer, too. So they leave as fast as clients
acknowledge them. An answer that is not acknowledged soon is not counted any more: a client
that is gone must not delay the others. It is what the generator's gate does for new
connections (load/connect_gate.py).
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ipvsload.testbed.lab.worker_pool import WorkTimers

LIMIT = 100
WITHIN_NS = 1_000_000_000
"""How long an answer counts that is not acknowledged."""
_LOOK_AGAIN_NS = 1_000_000
FREE, FREE_EACH_NS = 10, 10_000_000
"""So many in this time are not counted: to hear that an answer was acknowledged costs as much as
to send it."""


class Answered(Protocol):
    """A connection whose answer is on its way."""

    def acknowledged(self) -> bool:
        """Whether the client has all of it."""

    def leave(self) -> None:
        """It is not counted any more."""


class AnswerGate:
    """Counts answers from when they are sent until they are acknowledged; LIMIT at most.

    `clock` is that of the timers.
    """

    def __init__(self, timers: WorkTimers, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._timers, self._clock = timers, clock
        self._sent: dict[Answered, int] = {}
        self._waiting: deque[tuple[Answered, Callable[[bool], bool]]] = deque()
        self._free_from_ns = self._in_a_row = 0
        self._looking = self._sweeping = False

    def renew(self) -> None:
        """In a new process: nothing is on its way."""
        self._sent.clear()
        self._waiting.clear()
        self._looking = self._sweeping = False

    def send(self, who: Answered, send: Callable[[bool], bool]) -> None:
        """Send the answer of a connection when it may leave.

        `send` is told whether it is counted, and says whether it has left.
        """
        if self._is_calm():
            send(False)
        else:
            self._waiting.append((who, send))
            self._send_waiting()

    def _is_calm(self) -> bool:
        now = self._clock()
        if now - self._free_from_ns >= FREE_EACH_NS:
            self._free_from_ns, self._in_a_row = now, 0
        self._in_a_row += 1
        return self._in_a_row <= FREE and not self._sent and not self._waiting

    def left(self, who: Answered) -> None:
        """The connection has ended. Calling it again does nothing."""
        if self._sent.pop(who, None) is not None and self._waiting:
            self._send_waiting()

    def _send_waiting(self) -> None:
        waiting, sent = self._waiting, self._sent
        now = self._clock()
        while waiting and self._is_open(now):
            who, send = waiting.popleft()
            if send(True):
                sent[who] = now
        if waiting and not self._looking:
            self._looking = True
            self._timers.at(now + _LOOK_AGAIN_NS, self._look_again)
        if sent and not self._sweeping:
            self._sweeping = True
            self._timers.at(now + WITHIN_NS, self._sweep)

    def _is_open(self, now: int) -> bool:
        sent = self._sent
        while len(sent) >= LIMIT:
            oldest = next(iter(sent))
            if not oldest.acknowledged() and now - sent[oldest] < WITHIN_NS:
                return False
            del sent[oldest]
            oldest.leave()
        return True

    def _look_again(self, _due: int) -> None:
        # Of a kept connection nobody tells that its answer was acknowledged.
        self._looking = False
        self._send_waiting()

    def _sweep(self, now: int) -> None:
        self._sweeping = False
        sent = self._sent
        while sent:
            oldest = next(iter(sent))
            if now - sent[oldest] < WITHIN_NS:
                break
            del sent[oldest]
            oldest.leave()
        self._send_waiting()
