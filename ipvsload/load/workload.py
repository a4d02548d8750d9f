"""A traffic class while it runs: who sends the next request, and when.

The HTTP client knows requests; a workload knows users, budgets and arrivals.
Each request that was begun is finished exactly once, by an answer, by an error
or as "cut off", whatever happens: the counts are evidence and not estimates.
"""

import math
import time
from collections.abc import Callable
from functools import partial
from itertools import islice

from gevent.event import Event

from ipvsload.load.closed_user import ClosedUser
from ipvsload.load.exchange import Exchange
from ipvsload.load.finished_batch import FinishedBatch
from ipvsload.load.http_client import HttpClient
from ipvsload.load.http_response import ReadAnswer
from ipvsload.load.open_arrivals import OpenArrivals
from ipvsload.load.pacing import due_times
from ipvsload.load.ramped_users import RampedUsers
from ipvsload.load.random_numbers import RandomNumbers
from ipvsload.load.request_budget import Lender, RequestBudget
from ipvsload.load.request_message import differing, message_of
from ipvsload.load.request_timeouts import RequestTimeouts
from ipvsload.load.trace_arrivals import TraceArrivals
from ipvsload.load.user_pacing import user_changes
from ipvsload.scenario.model import Traffic

_SECOND = 1_000_000_000


class Workload:
    """A traffic class that is sent through an HTTP client.

    Args:
        name: the class's name.
        spec: what a scenario says of it; times in seconds.
        client: what carries its requests.
        finished: gets each finished request.
        on_done: called with the class's name each time that it is done.
        lender: has the class's budget, where other processes share it.
        key: what is drawn at random is drawn by this and the class's name.

    A closed class has `users` users; an open one (`spec.rate`) has arrivals as
    its pacer says, whatever the answers do. It counts since it was made
    (see `ClassCounts`); `sent` is the number of requests that were begun.
    """

    def __init__(
        self,
        name: str,
        spec: Traffic,
        client: HttpClient,
        finished: FinishedBatch,
        on_done: Callable[[str], None] = lambda name: None,
        lender: Lender | None = None,
        key: str = "",
    ) -> None:
        self.name = name
        self.spec = spec
        self.reuse = spec.connection != "new"
        self.lifetime = spec.lifetime
        self.message = message_of(spec.path, client.target, self.reuse)
        self.retry = spec.retry
        self.sent = 0
        self.requests = 0
        self.failures = 0
        self.over = Event()
        """Set when it was started, nothing is in flight and nothing more will be sent."""
        self._client = client
        self._timers = client.timers
        self._finished = finished
        client.add_batch(finished)
        self._on_done = on_done
        self._pause = int(spec.think * _SECOND)
        self._budget = RequestBudget(spec.requests, name, lender)
        self._key = key
        self._draw: Callable[[int], tuple[bytes, int | None]] | None = None
        """Gives the message of the request of this number, and its work in µs."""
        self._number, self._step = 0, 1
        self._running = False
        self._starts = 0
        self._ramp: RampedUsers | None = None
        self._users: dict[ClosedUser, None] = {}
        self._pausing: dict[ClosedUser, None] = {}
        self._awaiting: dict[ClosedUser, None] = {}
        """Users that wait for more of the budget."""
        self._arrivals = OpenArrivals(self, self._timers, self._send, self._all_sent)
        timeout_ns = int(spec.timeout * _SECOND)
        self._timeouts = RequestTimeouts(self._timers, timeout_ns, self._in_flight, self._late)

    @property
    def inflight(self) -> int:
        """Requests that have no answer yet."""
        return self.sent - self.requests

    @property
    def users(self) -> int:
        """Users that are at work."""
        return len(self._users)

    @property
    def started(self) -> bool:
        """Whether it was ever started."""
        return self._starts > 0

    @property
    def done(self) -> bool:
        """Whether it was started, has nothing in flight and will send nothing more."""
        return bool(self.over.is_set())

    def start(
        self,
        users: int | None = None,
        first: int = 0,
        step: int = 1,
        add: Callable[[int], None] | None = None,
    ) -> None:
        """Begin, or begin again with a whole budget; does nothing while it runs.

        `users` says how many users the workload makes itself instead of
        `spec.users`; others may `join`. Where their number changes, `add` has so many join,
        and the workload lets them go. Its requests have every `step`th number from
        `first` on: those are the arrivals of an open class that it sends, and by its number
        a request's work is drawn. Each start has numbers of its own.
        """
        if self._running:
            return
        self._running = True
        self._starts += 1
        spec = self.spec
        self._budget.renew()
        self.over.clear()
        key = self._key, self.name, self._starts
        trace = spec.trace and TraceArrivals(spec.trace, spec.requests, spec.seconds)
        self._draw = differing(self.message, spec, RandomNumbers(*key, "work"), trace)
        self._number, self._step = first, step
        now = time.monotonic_ns()
        if math.isfinite(spec.seconds):
            end = now + int(spec.seconds * _SECOND)
            self._timers.at(end, partial(self._duration_over, self._starts))
        if spec.open:
            due = islice(trace or due_times(spec, *key), first, None, step)
            self._arrivals.play(now, due, partial(self._goes_on, self._starts))
        elif spec.user_stages:
            goes_on = partial(self._goes_on, self._starts)
            self._ramp = RampedUsers(self._timers, goes_on, add or self._join_all, self.leave)
            self._ramp.play(now, user_changes(spec.user_stages, first, step))
        else:
            self._join_all(spec.most_users if users is None else users)

    def join(
        self, pause: Callable[[], float] | None = None, on_gone: Callable[[], None] | None = None
    ) -> ClosedUser:
        """Add a user, who sends at once; see `ClosedUser`."""
        user = ClosedUser(self, pause, on_gone)
        self._users[user] = None
        self._send_next(user)
        if self._ramp is not None:
            self._ramp.joined(user)
        return user

    def lent(self, count: int, more: bool) -> None:
        """The answer of the budget's lender; see `RequestBudget.lent`."""
        budget = self._budget
        budget.lent(count, more)
        for user in list(self._awaiting):
            if budget.left or not more:
                del self._awaiting[user]
                self._send_next(user)
        if self._users:
            budget.ask()
        else:
            budget.give_back()
        if not (self.inflight or budget.left or more):
            self._end_if_over()

    def leave(self, user: ClosedUser) -> None:
        """The user sends no more; what it has in flight finishes."""
        user.leaving = True
        if user in self._users and not user.in_flight:
            self._gone(user)

    def remove(self, user: ClosedUser) -> None:
        """The user goes at once; what it has in flight is cut off."""
        user.leaving = True
        if user.in_flight:
            self._cut_off(user)
            self._client.hand_over()
        elif user in self._users:
            self._gone(user)

    def stop(self) -> None:
        """Send no new requests; those in flight finish."""
        if self._running:
            self._running = False
            self._end_if_over()

    def finish(self, grace: float) -> None:
        """Stop, wait this many seconds at most, and cut off what is left."""
        self.stop()
        self.over.wait(grace)
        for exchange in self._in_flight():
            if exchange.in_flight:
                self._cut_off(exchange)
        self._client.hand_over()

    def ended(self, exchange: Exchange, answer: ReadAnswer, error: str | None, now_ns: int) -> bool:
        """The client's answer to `begin`: see `Owner`."""
        self.requests += 1
        if error is not None or answer.status >= 400:
            self.failures += 1
        self._finished.add(self.name, exchange, answer, error, now_ns)
        if not isinstance(exchange, ClosedUser):
            self._arrivals.unused.append(exchange)
        elif not self._running or exchange.leaving:
            self._gone(exchange)
        elif exchange.pause is not None or self._pause:
            self._think(exchange, now_ns)
        elif self._budget.left > 0:
            self._take(exchange)
            return True
        else:
            self._wait_or_go(exchange)
        if not (self.inflight or (self._running and (self._budget.left or self._budget.more))):
            self._end_if_over()
        return False

    # Users

    def _join_all(self, count: int) -> None:
        for _ in range(count):
            self.join()

    def _think(self, user: ClosedUser, now_ns: int) -> None:
        """After an answer, before the next request."""
        if not (self._budget.left > 0 or self._budget.more):
            self._gone(user)
            return
        pause = self._pause if user.pause is None else int(user.pause() * _SECOND)
        if pause > 0:
            self._pausing[user] = None
            self._timers.at(now_ns + pause, partial(self._end_pause, user))
        else:
            self._send_next(user)  # `pause` may have stopped the user

    def _send_next(self, user: ClosedUser) -> None:
        if not self._running or user.leaving:
            self._gone(user)
        elif self._budget.left > 0:
            self._send(user, 0)
        else:
            self._wait_or_go(user)

    def _wait_or_go(self, user: ClosedUser) -> None:
        """Nothing of the budget is left here."""
        if self._budget.more:
            self._awaiting[user] = None
            self._budget.ask()
        else:
            self._gone(user)

    def _end_pause(self, user: ClosedUser) -> None:
        if user in self._pausing:
            del self._pausing[user]
            self._send_next(user)

    def _gone(self, user: ClosedUser) -> None:
        """The user sends no more: close its connection and say so."""
        self._users.pop(user, None)
        self._pausing.pop(user, None)
        self._awaiting.pop(user, None)
        self._client.drop(user)
        if not self._users:
            self._budget.give_back()
        if user.on_gone is not None:
            on_gone, user.on_gone = user.on_gone, None
            on_gone()

    # Requests

    def _send(self, exchange: Exchange, planned_ns: int) -> None:
        self._take(exchange)
        self._begin(exchange, planned_ns)

    def _take(self, exchange: Exchange) -> None:
        budget = self._budget
        budget.left -= 1
        self.sent += 1
        if self._draw is not None:
            exchange.message, exchange.work_us = self._draw(self._number)
            self._number += self._step
        if budget.left <= budget.ask_at:
            budget.ask()

    def _begin(self, exchange: Exchange, planned_ns: int) -> None:
        self._client.begin(exchange, planned_ns)
        if not self._timeouts.watching:
            self._timeouts.begin()

    def _in_flight(self) -> list[Exchange]:
        return [one for one in (*self._users, *self._arrivals.exchanges) if one.in_flight]

    def _late(self, exchange: Exchange) -> None:
        self._client.time_out(exchange)
        self._over(exchange, "timeout")

    def _cut_off(self, exchange: Exchange) -> None:
        if not exchange.start:
            exchange.never_sent(time.monotonic_ns())
        self._client.drop(exchange)
        self._over(exchange, "cut off")

    def _over(self, exchange: Exchange, error: str) -> None:
        """The client carries its request no longer."""
        if self.ended(exchange, exchange.broken_off(), error, time.monotonic_ns()):
            self._begin(exchange, 0)

    # The end

    def _goes_on(self, start: int) -> bool:
        return self._running and start == self._starts

    def _all_sent(self) -> None:
        self._running = False
        self._end_if_over()

    def _duration_over(self, start: int) -> None:
        if start == self._starts and not self.spec.open:
            self.stop()

    def _end_if_over(self) -> None:
        """Remove users whose pause would be followed by nothing; say so if all is over."""
        for user in (*self._pausing, *self._awaiting):
            self._gone(user)
        if self.inflight or (self._running and self._budget.left > 0):
            return
        self._running = False
        for exchange in self._arrivals.unused:
            self._client.drop(exchange)
        if not self.done:
            self._client.hand_over()
            self.over.set()
            try:
                self._on_done(self.name)
            except Exception as failure:
                self._client.fail(failure)
