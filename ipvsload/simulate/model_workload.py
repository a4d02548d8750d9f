"""A traffic class of a simulated run: who sends the next request, and when.

It sends what `load/workload.py` sends: the same arrivals, users and work by the same seed.
Who records what has ended is told each time, and need not look at it.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

from ipvsload.ipvs_model.timer_wheel import SECOND_NS
from ipvsload.load.pacing import due_times
from ipvsload.load.random_numbers import RandomNumbers
from ipvsload.load.request_message import differing
from ipvsload.load.trace_arrivals import TraceArrivals
from ipvsload.load.user_pacing import user_changes
from ipvsload.scenario.model import Traffic
from ipvsload.simulate.model_exchange import ModelExchange
from ipvsload.simulate.model_network import ModelNetwork
from ipvsload.simulate.model_pages import answers_of

OnModelFinished = Callable[["ModelWorkload", ModelExchange, int, str | None], None]
"""Called with the workload, the exchange, the time in ns, and the error or None. The exchange
is used again."""


class ModelWorkload:
    """The class `name`, sent through `network` from the address `client` and others.

    What is drawn at random is drawn by `key` and its name. It counts as `ClassCounts` does.
    """

    def __init__(
        self,
        name: str,
        spec: Traffic,
        network: ModelNetwork,
        client: str,
        on_finished: OnModelFinished,
        on_done: Callable[[str], None],
        key: str,
    ) -> None:
        self.name, self.spec = name, spec
        self.reuse = spec.connection != "new"
        self.lifetime, self.retry = spec.lifetime, spec.retry
        self.requests = self.failures = 0
        self.done = False
        self._network, self._time = network, network.time
        self._on_finished, self._on_done = on_finished, on_done
        self._timeout_ns = int(spec.timeout * SECOND_NS)
        self._pause_ns = int(spec.think * SECOND_NS)
        self._key = key
        self._path = spec.path.encode()
        self._answer = answers_of(spec, client)
        self._draw: Callable[[int], tuple[bytes, int | None]] | None = None
        self._number = 0
        self._left = 0.0
        """How many requests may still be begun."""
        self._running = False
        self._starts = 0
        self._users: dict[ModelExchange, None] = {}
        self._pausing: dict[ModelExchange, None] = {}
        self._unused: list[ModelExchange] = []
        # In the order of their starts, so that the first is the next to time out.
        self._in_flight: dict[ModelExchange, None] = {}
        self._timeout_set = False

    @property
    def inflight(self) -> int:
        """Requests that have no answer yet."""
        return len(self._in_flight)

    @property
    def users(self) -> int:
        """Users that are at work."""
        return len(self._users)

    @property
    def started(self) -> bool:
        """Whether it was ever started."""
        return self._starts > 0

    def start(self) -> None:
        """Begin, or begin again with a whole budget; does nothing while it runs."""
        if self._running:
            return
        self._running, self.done = True, False
        self._starts += 1
        spec, now_ns = self.spec, self._time.now_ns
        self._left = math.inf if spec.requests is None else spec.requests
        key = self._key, self.name, self._starts
        trace = spec.trace and TraceArrivals(spec.trace, spec.requests, spec.seconds)
        self._draw = differing(self._path, spec, RandomNumbers(*key, "work"), trace)
        self._number = 0
        goes_on = partial(self._goes_on, self._starts)
        if math.isfinite(spec.seconds) and not spec.open:
            end_ns = now_ns + int(spec.seconds * SECOND_NS)
            self._time.call(end_ns, lambda _: self.stop() if goes_on() else None)
        if spec.open:
            due = iter(trace or due_times(spec, *key))
            self._send_due(goes_on, now_ns, due, next(due, None), now_ns)
        elif spec.user_stages:
            changes = user_changes(spec.user_stages)
            self._change_users(goes_on, now_ns, changes, next(changes, None), now_ns)
        else:
            for _ in range(spec.most_users):
                self._join()

    def stop(self) -> None:
        """Send no new requests; those in flight finish."""
        if self._running:
            self._running = False
            self._end_if_over()

    def finish(self, last_ns: int) -> None:
        """Stop, wait until that time at most, and cut off what is left."""
        self.stop()
        self._time.pass_until(lambda: not self._in_flight, last_ns)
        for exchange in list(self._in_flight):
            if exchange in self._in_flight:
                self._network.drop(exchange)
                self.ended(exchange, "cut off")

    def ended(self, exchange: ModelExchange, error: str | None) -> None:
        """The network's answer."""
        now_ns = self._time.now_ns
        del self._in_flight[exchange]
        self.requests += 1
        if error is not None or exchange.status >= 400:
            self.failures += 1
        self._on_finished(self, exchange, now_ns, error)
        if exchange not in self._users:
            self._unused.append(exchange)
        elif not self._may_send(exchange):
            self._gone(exchange)
        elif self._pause_ns:
            self._pausing[exchange] = None
            self._time.call(now_ns + self._pause_ns, partial(self._end_pause, exchange))
        else:
            self._send(exchange, now_ns)
        if not (self._in_flight or (self._running and self._left)):
            self._end_if_over()

    # Users

    def _join(self) -> None:
        user = ModelExchange(self)
        self._users[user] = None
        if self._may_send(user):
            self._send(user, self._time.now_ns)
        else:
            self._gone(user)

    def _may_send(self, user: ModelExchange) -> bool:
        return self._running and self._left > 0 and not user.leaving

    def _end_pause(self, user: ModelExchange, now_ns: int) -> None:
        if user in self._pausing:
            del self._pausing[user]
            if self._may_send(user):
                self._send(user, now_ns)
            else:
                self._gone(user)

    def _gone(self, user: ModelExchange) -> None:
        self._users.pop(user, None)
        self._pausing.pop(user, None)
        self._network.drop(user)

    def _change_users(
        self,
        goes_on: Callable[[], bool],
        origin_ns: int,
        later: Iterator[tuple[int, int]],
        change: tuple[int, int] | None,
        now_ns: int,
    ) -> None:
        while change is not None and goes_on():
            due_ns = origin_ns + change[0]
            if due_ns > now_ns:
                again = partial(self._change_users, goes_on, origin_ns, later, change)
                self._time.call(due_ns, again)
                return
            if change[1] > 0:
                self._join()
            elif self._users:
                user = next(reversed(self._users))  # who came last goes first
                user.leaving = True
                if user not in self._in_flight:
                    self._gone(user)
                else:
                    self._let_finish(user)
            change = next(later, None)

    def _let_finish(self, user: ModelExchange) -> None:
        # Before the others, so that the next to go is another one.
        rest = {one: None for one in self._users if one is not user}
        self._users = {user: None, **rest}

    # Arrivals

    def _send_due(
        self,
        goes_on: Callable[[], bool],
        origin_ns: int,
        later: Iterator[int],
        due_ns: int | None,
        now_ns: int,
    ) -> None:
        if not goes_on():
            return
        while due_ns is not None:
            due = origin_ns + due_ns
            if due > now_ns:
                self._time.call(due, partial(self._send_due, goes_on, origin_ns, later, due_ns))
                return
            self._send(self._unused.pop() if self._unused else ModelExchange(self), due)
            due_ns = next(later, None)
        self._running = False
        self._end_if_over()

    # Requests

    def _send(self, exchange: ModelExchange, planned_ns: int) -> None:
        self._left -= 1
        path, work_us = self._path, None
        if self._draw is not None:
            path, work_us = self._draw(self._number)
            self._number += 1
        exchange.asked, exchange.work_us = self._answer(path, work_us), work_us
        now_ns = self._time.now_ns
        exchange.planned, exchange.start = planned_ns, now_ns
        self._in_flight[exchange] = None
        self._network.send(exchange)
        if not self._timeout_set:
            self._timeout_set = True
            self._time.call(now_ns + self._timeout_ns, self._check_timeouts)

    def _check_timeouts(self, now_ns: int) -> None:
        while self._in_flight:
            exchange = next(iter(self._in_flight))
            deadline_ns = exchange.start + self._timeout_ns
            if deadline_ns > now_ns:
                self._time.call(deadline_ns, self._check_timeouts)
                return
            self._network.time_out(exchange)
            self.ended(exchange, "timeout")
        self._timeout_set = False

    # The end

    def _goes_on(self, start: int) -> bool:
        return self._running and start == self._starts

    def _end_if_over(self) -> None:
        for user in list(self._pausing):
            self._gone(user)
        if self._in_flight or (self._running and self._left > 0):
            return
        self._running = False
        for exchange in self._unused:
            self._network.drop(exchange)
        if not self.done:
            self.done = True
            self._on_done(self.name)
