"""A traffic class while it runs: who sends the next request, and when.

The wire knows requests; a flow knows users, budgets and arrivals. Whatever
happens, each request that was begun is finished exactly once, by an answer,
by an error, or as "cut off": counts are evidence here, not estimates.
"""

import time
from collections.abc import Callable
from functools import partial

from gevent.event import Event

from ipvsload import __version__
from ipvsload.load.exchange import Call
from ipvsload.load.http_client import Wire
from ipvsload.load.http_response import Answer
from ipvsload.load.pacing import EveryNth, Pacer, constant_rate
from ipvsload.scenario.model import Traffic

_SECOND = 1_000_000_000

OnFinished = Callable[["Flow", Call, int, str | None], None]
"""Called with the flow, the call, the end in `time.monotonic_ns()`, and the
error or None. The call is used again: take from it what is wanted. It must
not block. What it raises ends the wire (`Wire.fail`)."""


class ClosedUser(Call):
    """One user of a closed workload: a request, its answer, a pause, the next.

    `pause` gives the seconds before the next request; `gone` is called once,
    when the user will not send again and has nothing in flight.
    """

    __slots__ = ("gone", "leaving", "pause")
    patient = True

    def __init__(
        self, flow: "Flow", pause: Callable[[], float] | None, gone: Callable[[], None] | None
    ) -> None:
        super().__init__(flow)
        self.pause = pause
        self.gone = gone
        self.leaving = False


class Flow:
    """A traffic class on a wire.

    Args:
        name: the class's name.
        spec: what a scenario says of it; times in seconds.
        wire: what carries its requests.
        on_finished: told of each finished request.
        on_done: told each time that the class is done.

    A closed class has `users` users; an open one (`spec.rate`) has arrivals as
    its pacer says, whatever the answers do. `started`,
    `finished` and `failed` count requests since the flow was made.
    """

    def __init__(
        self,
        name: str,
        spec: Traffic,
        wire: Wire,
        on_finished: OnFinished | None = None,
        on_done: Callable[["Flow"], None] | None = None,
    ) -> None:
        self.name = name
        self.spec = spec
        self.wire = wire
        self.message = _message(spec.path, wire.target, spec.connection == "keep-alive")
        self.reuse = spec.connection == "keep-alive"
        self.started = 0
        self.finished = 0
        self.failed = 0
        self.done = Event()
        """Set while nothing is in flight and nothing more will be sent."""
        self._on_finished = on_finished
        self._on_done = on_done
        self._timeout = int(spec.timeout * _SECOND)
        self._pause = int(spec.think * _SECOND)
        self._left: float = spec.requests or float("inf")
        self._running = False
        self._starts = 0
        self._users: dict[ClosedUser, None] = {}
        self._thinking: dict[ClosedUser, None] = {}
        self._free: list[Call] = []
        # In the order of their starts, so that the first is the next to time out.
        self._in_flight: dict[Call, None] = {}
        self._sweeping = False

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not finished."""
        return len(self._in_flight)

    @property
    def users(self) -> int:
        """Users that are at work."""
        return len(self._users)

    @property
    def running(self) -> bool:
        """Whether it may still send requests."""
        return self._running

    def start(self, users: int | None = None, first: int = 0, step: int = 1) -> None:
        """Begin, or begin again with a whole budget; nothing while it runs.

        `users` says how many users the flow makes itself instead of
        `spec.users`; others may `join`. An open class sends every `step`th of
        its arrivals, from number `first` on.
        """
        if self._running:
            return
        self._running = True
        self._starts += 1
        spec = self.spec
        self._left = spec.requests or float("inf")
        self.done.clear()
        now = time.monotonic_ns()
        if spec.duration is not None:
            end = now + int(spec.duration * _SECOND)
            self.wire.at(end, partial(self._expire, self._starts))
        if spec.rate is not None:
            pacer = constant_rate(spec.rate, spec.duration, spec.requests)
            self._arrive(self._starts, now, EveryNth(pacer, first, step), 0)
        else:
            for _ in range((spec.users or 0) if users is None else users):
                self.join()

    def join(
        self, pause: Callable[[], float] | None = None, gone: Callable[[], None] | None = None
    ) -> ClosedUser:
        """One more user, who sends at once; see `ClosedUser`."""
        user = ClosedUser(self, pause, gone)
        self._users[user] = None
        self._next(user)
        return user

    def leave(self, user: ClosedUser) -> None:
        """The user sends no more; what it has in flight finishes."""
        user.leaving = True
        if user in self._users and user not in self._in_flight:
            self._depart(user)

    def expel(self, user: ClosedUser) -> None:
        """The user goes at once; what it has in flight is cut off."""
        user.leaving = True
        if user in self._in_flight:
            self._cut(user)
        elif user in self._users:
            self._depart(user)

    def stop(self) -> None:
        """No new requests; those in flight finish."""
        if self._running:
            self._running = False
            self._settle()

    def finish(self, grace: float) -> None:
        """Stop, wait this many seconds at most, and cut off what is left."""
        self.stop()
        self.done.wait(grace)
        for call in list(self._in_flight):
            if call in self._in_flight:
                self._cut(call)

    def ended(self, call: Call, error: str | None) -> None:
        """The wire's answer to `begin`."""
        end = time.monotonic_ns()
        del self._in_flight[call]
        self.finished += 1
        if error is not None or call.answer.status >= 400:
            self.failed += 1
        if self._on_finished is not None:
            try:
                self._on_finished(self, call, end, error)
            except Exception as failure:
                self.wire.fail(failure)
        if not isinstance(call, ClosedUser):
            self._free.append(call)
        elif self._may_send(call):
            pause = self._pause if call.pause is None else int(call.pause() * _SECOND)
            if pause > 0:
                self._thinking[call] = None
                self.wire.at(end + pause, partial(self._wake, call))
            else:
                self._next(call)
        else:
            self._depart(call)
        if not (self._in_flight or (self._running and self._left)):
            self._settle()

    # Users

    def _may_send(self, user: ClosedUser) -> bool:
        return self._running and self._left > 0 and not user.leaving

    def _next(self, user: ClosedUser) -> None:
        if self._may_send(user):
            self._send(user, 0)
        else:
            self._depart(user)

    def _wake(self, user: ClosedUser) -> None:
        if user in self._thinking:
            del self._thinking[user]
            self._next(user)

    def _depart(self, user: ClosedUser) -> None:
        self._users.pop(user, None)
        self._thinking.pop(user, None)
        self.wire.drop(user)
        if user.gone is not None:
            gone, user.gone = user.gone, None
            gone()

    # Arrivals

    def _arrive(self, start: int, origin_ns: int, pacer: Pacer, number: int) -> None:
        """Begin all arrivals that are due, from the `number`th on."""
        if start != self._starts or not self._running:
            return
        count = pacer.count
        now = time.monotonic_ns()
        while count is None or number < count:
            due = origin_ns + pacer.due_ns(number)
            if due > now:
                self.wire.at(due, partial(self._arrive, start, origin_ns, pacer, number))
                return
            self._send(self._free.pop() if self._free else Call(self), due)
            number += 1
        self._running = False
        self._settle()

    # Requests

    def _send(self, call: Call, planned_ns: int) -> None:
        self._left -= 1
        self.started += 1
        self._in_flight[call] = None
        self.wire.begin(call, planned_ns)
        if not self._sweeping:
            self._sweeping = True
            self.wire.at(time.monotonic_ns() + self._timeout, self._sweep)

    def _sweep(self) -> None:
        """Time out what is due; come back when the next may be."""
        now = time.monotonic_ns()
        while self._in_flight:
            call = next(iter(self._in_flight))
            deadline = (call.start or now) + self._timeout
            if deadline > now:
                self.wire.at(deadline, self._sweep)
                return
            self.wire.drop(call)
            self.ended(call, "timeout")
        self._sweeping = False

    def _cut(self, call: Call) -> None:
        if not call.start:
            # It never went out: what the call holds is its last answer.
            call.start = time.monotonic_ns()
            call.planned = call.planned or call.start
            call.answer = Answer()
            call.client, call.port, call.reused = "", 0, False
        self.wire.drop(call)
        self.ended(call, "cut off")

    # The end

    def _expire(self, start: int) -> None:
        if start == self._starts and self.spec.rate is None:
            self.stop()

    def _settle(self) -> None:
        """Send users home that wait for nothing; say so when it is all over."""
        for user in list(self._thinking):
            self._depart(user)
        if self._in_flight or (self._running and self._left > 0):
            return
        self._running = False
        for call in self._free:
            self.wire.drop(call)
        if not self.done.is_set():
            self.done.set()
            if self._on_done is not None:
                try:
                    self._on_done(self)
                except Exception as failure:
                    self.wire.fail(failure)


def _message(path: str, target: tuple[str, int], reuse: bool) -> bytes:
    host, port = target
    name = f"[{host}]" if ":" in host else host
    if port != 80:
        name += f":{port}"
    return (
        f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: ipvsload/{__version__}\r\n"
        f"Accept: */*\r\nConnection: {'keep-alive' if reuse else 'close'}\r\n\r\n"
    ).encode("latin-1")
