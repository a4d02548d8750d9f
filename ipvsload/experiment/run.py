"""One run: a scenario's timeline against one scheduler, driven by events.

Samples, classes that are done, a testbed that breaks, Ctrl-C and timers all
come through one queue; after each the timeline is asked what to do. Nothing
here waits for anything else, so every wait has its deadline.
"""

import gevent
from gevent.queue import Empty

from ipvsload.errors import InvalidRunError, TestbedError
from ipvsload.experiment.action_queue import QueuedAction
from ipvsload.experiment.run_context import Stage
from ipvsload.experiment.run_servers import RunTarget
from ipvsload.experiment.run_state import View
from ipvsload.experiment.timeline import Begin, Done, Missed, Over, Timeline
from ipvsload.load.base import Load
from ipvsload.record.events import (
    ChangedByHand,
    ClassDone,
    ClassStarted,
    ClockAligned,
    Event,
    RunEnded,
    RunInvalid,
    RunStarted,
    ServerJoined,
    StepDone,
    StepStarted,
)
from ipvsload.record.format import Request, Sample
from ipvsload.record.sidecar_stream import Alignment
from ipvsload.testbed.base import ServiceSpec, Target

_TABLE_WITHIN_US = 20_000_000
"""Deadline for the first sample that shows the run's service."""
_COUNTERS_SETTLE_US = 2_200_000
"""The kernel refreshes its per-server counters every 2 s (ip_vs_est.c)."""
_PLACE_US = 4_000_000
"""Half the time that the kernel remembers a reset connection (10 s), and less."""
_GRACE_S = 5.0
"""Beyond a class's own timeout, for what is in flight at the end."""


class Run:
    """One scheduler's turn on the stage, recorded under `number`."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self._number = number
        self._clock = stage.clock
        self._inbox = stage.inbox
        self._last_connection_us = 0
        self._last_end_us = 0
        self._unplaced: list[Request] = []

    def play(self, scheduler: str, repeat: int) -> None:
        """Run the timeline from a fresh service to the last answer.

        A wait that misses its deadline, a generator at its limit and the like
        are recorded as "invalid". Raises TestbedError when the testbed broke
        and InvalidRunError when somebody interrupted it; what was recorded
        until then stays.
        """
        stage = self._stage
        marks = [self._clock.now_us()]
        planned = stage.scenario.service
        weights = planned.weights or (1,) * planned.servers
        service = stage.testbed.begin(ServiceSpec(scheduler, tuple(weights)))
        target = service.target
        self._record(
            RunStarted(
                *self._now(),
                scheduler=service.balancer,
                repeat=repeat,
                kernel=dict(stage.testbed.kernel),
                service=target.key,
                baseline_conns=dict(service.baseline),
                exclusive=stage.testbed.exclusive,
            )
        )
        load = self._load(target)
        for node, clock in load.clocks:
            self._clock_event(node, clock)
        view = View(load.counts)
        self._target = RunTarget(stage.testbed, view, self._joined, load, self._class_started)
        self._target.have(service.servers)
        stage.sidecar.follow(self._number, target.key, self._inbox.put)
        try:
            view.uncertainty_us = self._align()
            if target.key:
                self._await_table(view, len(service.servers))
            view.began_us = self._clock.now_us()
            marks.append(view.began_us)
            timeouts = stage.testbed.tcp_timeouts()
            missed = self._walk(view)
            marks.append(self._clock.now_us())
            self._finish(view, load, missed)
            timeouts = stage.testbed.tcp_timeouts() - timeouts
            # A SYN that was sent again made its connection later than it looks.
            self._settle(view, self._last_end_us if timeouts else self._last_connection_us)
        finally:
            stage.sidecar.follow(0, "", None)
            load.close()
            for request in self._unplaced:
                stage.writer.request(request)
        self._align()
        stage.testbed.end()
        marks.append(self._clock.now_us())
        spans = zip(("setup", "timeline", "teardown"), marks, marks[1:], strict=False)
        seconds = {name: (end - start) / 1e6 for name, start, end in spans}
        self._record(RunEnded(*self._now(), complete=True, retransmits=timeouts, seconds=seconds))

    # -- events -------------------------------------------------------------

    def _now(self) -> tuple[int, int]:
        """The run's number and the time: what each of its events begins with."""
        return self._number, self._clock.now_us()

    def _record(self, event: Event) -> None:
        self._stage.writer.event(event)
        self._stage.progress.happened(event)

    def _joined(self, number: int, address: str, weight: int) -> None:
        self._record(ServerJoined(*self._now(), address, number, weight))

    def _class_started(self, name: str) -> None:
        self._record(ClassStarted(*self._now(), name))

    def _load(self, target: Target) -> Load:
        def finished(request: Request) -> None:
            if not request.reused:
                known = _end(request) if request.error else request.start_us
                self._last_connection_us = max(self._last_connection_us, known)
            self._last_end_us = max(self._last_end_us, _end(request))
            if request.server is None and request.port:
                self._unplaced.append(request)
            else:
                self._stage.writer.request(request)

        def done(name: str) -> None:
            self._record(ClassDone(*self._now(), name))
            self._inbox.put(None)

        return self._stage.make_load(
            self._stage.scenario.traffic,
            (target.host, target.port),
            run=self._number,
            to_us=self._clock.from_ns,
            on_finished=finished,
            on_done=done,
            on_error=self._inbox.put,
        )

    def _next(self, view: View, until_us: int | None) -> None:
        """Take one thing from the inbox, or wait until that time at most."""
        timeout = None if until_us is None else max(0, until_us - self._clock.now_us()) / 1e6
        try:
            item = self._inbox.get(timeout=timeout)
        except Empty:
            return
        if isinstance(item, BaseException):
            raise item
        if isinstance(item, Sample) and item.run == self._number:
            self._stage.writer.sample(item)
            view.sampled(item)
        elif isinstance(item, QueuedAction):
            item.carry_out(
                self._target, lambda text: self._record(ChangedByHand(*self._now(), text))
            )

    # -- phases -------------------------------------------------------------

    def _align(self) -> int:
        """Set the nodes' clocks beside ours; how far the worst may be off, in µs."""
        clocks = self._stage.sidecar.align()
        return max(self._clock_event(node, clock) for node, clock in clocks.items())

    def _clock_event(self, node: str, clock: Alignment) -> int:
        uncertainty_us = -(-clock.uncertainty_ns // 1000)
        offset_us = clock.offset_ns // 1000
        self._record(ClockAligned(*self._now(), node, offset_us, uncertainty_us))
        return uncertainty_us

    def _await_table(self, view: View, servers: int) -> None:
        deadline = self._clock.now_us() + _TABLE_WITHIN_US
        while not all(view.in_table(address) for address in view.servers):
            self._next(view, deadline)
            if self._clock.now_us() >= deadline:
                raise TestbedError(
                    f"no sample showed the service with its {servers} servers within"
                    f" {_TABLE_WITHIN_US / 1e6:.0f} s; does the sidecar run beside the balancer?"
                )

    def _walk(self, view: View) -> bool:
        """Play the steps; True when a wait missed its deadline, which ends them."""
        timeline = Timeline(self._stage.scenario.timeline)
        while True:
            match timeline.ask(view, self._clock.now_us()):
                case None:
                    self._next(view, timeline.look_again_us(self._clock.now_us()))
                    if self._unplaced and self._now_and_then():
                        self._place(self._clock.now_us() - _PLACE_US // 2)
                    self._stage.progress.update(view, timeline)
                case Begin(index, step):
                    self._record(StepStarted(*self._now(), index, step.describe()))
                    step.action.carry_out(self._target)
                    timeline.begun(self._clock.now_us())
                case Done(index, saw, waited_us):
                    self._record(StepDone(*self._now(), index, saw, waited_us))
                case Missed(_, message):
                    self._record(RunInvalid(*self._now(), message))
                    return True
                case Over():
                    return False

    def _now_and_then(self) -> bool:
        return self._clock.now_us() - _end(self._unplaced[0]) > _PLACE_US

    def _place(self, until_us: int | None = None) -> None:
        """Ask the kernel which servers it had chosen where no answer told.

        With `until_us` only for requests that ended by then: a testbed may learn
        of a connection some time after it was made.
        """
        requests = [r for r in self._unplaced if until_us is None or _end(r) <= until_us]
        self._unplaced = self._unplaced[len(requests) :]
        clients = [(request.client, request.port) for request in requests]
        servers = self._stage.testbed.connection_servers(clients) if clients else []
        for request, server in zip(requests, servers, strict=True):
            self._stage.writer.request(request._replace(server=server))

    def _finish(self, view: View, load: Load, missed: bool) -> None:
        """Wait for the last answers; after a missed deadline only for a moment."""
        finished = gevent.spawn(load.finish, _GRACE_S, missed)
        finished.link(lambda _: self._inbox.put(None))
        while not finished.dead:
            self._next(view, None)
        finished.get()
        self._place()
        for reason in load.overloads():
            self._record(RunInvalid(*self._now(), reason))

    def _settle(self, view: View, last_us: int) -> None:
        """Wait for a sample whose counters show the connection of `last_us`.

        And for one of now: where the sidecar's lines were held up, those of the
        last requests are still on their way.
        """
        settled = max(last_us + _COUNTERS_SETTLE_US, self._clock.now_us())
        deadline = max(settled, self._clock.now_us()) + _TABLE_WITHIN_US
        while view.sample_us < settled:
            self._next(view, deadline)
            if self._clock.now_us() >= deadline:
                raise InvalidRunError("the sidecar sent no sample after the last connection")


def _end(request: Request) -> int:
    return request.planned_us + request.latency_us
