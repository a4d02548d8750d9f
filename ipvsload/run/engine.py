"""One run: a scenario's timeline against one scheduler, driven by events.

Samples, classes that are done, a testbed that breaks, Ctrl-C and timers all
come through one queue; after each the timeline is asked what to do. Nothing
here waits for anything else, so every wait has its deadline.
"""

from typing import Any

import gevent
from gevent.queue import Empty, SimpleQueue

from ipvsload.errors import InvalidRunError, TestbedError
from ipvsload.load.locust_load import LocustLoad
from ipvsload.load.sources import Sources
from ipvsload.record.format import Event, Request, Sample
from ipvsload.record.writer import RunWriter
from ipvsload.run.clock import Clock
from ipvsload.run.progress import Progress
from ipvsload.run.retransmits import retransmitted_segments
from ipvsload.run.sidecar import Sidecar
from ipvsload.scenario.model import Scenario, Step
from ipvsload.testbed.base import Target, Testbed
from ipvsload.timeline.timeline import Begin, Done, Missed, Over, Timeline, Turn
from ipvsload.timeline.view import View

_TABLE_WITHIN_US = 10_000_000
"""Deadline for the first sample that shows the run's service."""
_COUNTERS_SETTLE_US = 2_200_000
"""The kernel refreshes its per-server counters every 2 s (ip_vs_est.c)."""
_GRACE_S = 5.0
"""Beyond a class's own timeout, for what is in flight at the end."""


class Run:
    """One scheduler's turn on the testbed, recorded under `number`.

    `inbox` brings samples, exceptions to raise here, and None, which says that
    something may have changed.
    """

    def __init__(
        self,
        number: int,
        scenario: Scenario,
        testbed: Testbed,
        writer: RunWriter,
        clock: Clock,
        sidecar: Sidecar,
        sources: Sources | None,
        inbox: "SimpleQueue[Any]",
        progress: Progress,
    ) -> None:
        self._number = number
        self._scenario = scenario
        self._testbed = testbed
        self._writer = writer
        self._clock = clock
        self._sidecar = sidecar
        self._progress = progress
        self._sources = sources
        self._inbox = inbox
        self._last_connection_us = 0

    def play(self, scheduler: str, repeat: int) -> None:
        """Run the timeline from a fresh service to the last answer.

        A wait that misses its deadline, a generator at its limit and the like
        are recorded as "invalid". Raises TestbedError when the testbed broke
        and KeyboardInterrupt when somebody interrupted it; what was recorded
        until then stays.
        """
        began = self._clock.now_us()
        service = self._scenario.service
        weights = service.weights or (1,) * service.servers
        target, addresses = self._testbed.begin(scheduler, weights)
        self._event(
            "run",
            scheduler=scheduler,
            repeat=repeat,
            kernel=self._testbed.kernel,
            service=target.key,
            baseline_conns={},
        )
        load = self._load(target)
        view = View(load.counts)
        for address, weight in zip(addresses, weights, strict=True):
            self._joined(view, address, weight)
        self._sidecar.follow(self._number, target.key, self._inbox.put)
        complete = False
        marks = [began] * 4
        try:
            self._align()
            self._await_table(view, len(addresses))
            marks[1] = view.began_us = self._clock.now_us()
            retransmits = retransmitted_segments()
            self._walk(view, load)
            marks[2] = self._clock.now_us()
            self._finish(view, load)
            retransmits = retransmitted_segments() - retransmits
            complete = True
        finally:
            self._sidecar.follow(0, "", None)
            load.close()
            if complete:
                self._align()
                self._testbed.end()
                marks[3] = self._clock.now_us()
                names = ("setup", "timeline", "teardown")
                spans = zip(names, marks, marks[1:], strict=False)
                self._event(
                    "run-end",
                    complete=True,
                    retransmits=retransmits,
                    seconds={name: (end - start) / 1e6 for name, start, end in spans},
                )

    # -- events -------------------------------------------------------------

    def _event(self, kind: str, **data: Any) -> None:
        self._writer.event(Event(self._number, self._clock.now_us(), kind, data))

    def _joined(self, view: View, address: str, weight: int) -> None:
        number = view.joined(address)
        self._event("joined", server=address, number=number, weight=weight)

    def _load(self, target: Target) -> LocustLoad:
        def finished(request: Request) -> None:
            if not request.reused:
                self._last_connection_us = request.start_us
            self._writer.request(request)

        def done(name: str) -> None:
            self._event("class-done", **{"class": name})
            self._inbox.put(None)

        return LocustLoad(
            self._scenario.traffic,
            (target.host, target.port),
            sources=self._sources,
            run=self._number,
            to_us=self._clock.from_ns,
            on_finished=finished,
            on_done=done,
            on_error=self._inbox.put,
        )

    def _next(self, view: View, until_us: int | None) -> bool:
        """Take one thing from the inbox, until a time at most; whether there was one."""
        timeout = None if until_us is None else max(0, until_us - self._clock.now_us()) / 1e6
        try:
            item = self._inbox.get(timeout=timeout)
        except Empty:
            return False
        if isinstance(item, BaseException):
            raise item
        if isinstance(item, Sample) and item.run == self._number:
            self._writer.sample(item)
            view.sampled(item)
        return True

    # -- phases -------------------------------------------------------------

    def _align(self) -> None:
        clock = self._sidecar.align()
        self._event(
            "clock",
            node=self._sidecar.node,
            offset_us=clock.offset_ns // 1000,
            uncertainty_us=-(-clock.uncertainty_ns // 1000),
        )

    def _await_table(self, view: View, servers: int) -> None:
        deadline = self._clock.now_us() + _TABLE_WITHIN_US
        while not all(view.in_table(address) for address in view.servers):
            if not self._next(view, deadline) and self._clock.now_us() >= deadline:
                raise TestbedError(
                    f"no sample showed the service with its {servers} servers within"
                    f" {_TABLE_WITHIN_US / 1e6:.0f} s; does the sidecar run beside the balancer?"
                )

    def _walk(self, view: View, load: LocustLoad) -> None:
        timeline = Timeline(self._scenario.timeline)
        while True:
            turn = timeline.ask(view, self._clock.now_us())
            if turn is None:
                self._next(view, timeline.look_again_us(self._clock.now_us()))
                self._progress.update(view, timeline)
            elif not self._take(turn, view, load):
                return

    def _take(self, turn: Turn, view: View, load: LocustLoad) -> bool:
        """Carry out one turn of the timeline; False when it is over."""
        match turn:
            case Begin(index, step):
                self._event("step", index=index, text=step.describe())
                self._act(step, view, load)
            case Done(index, saw, waited_us):
                self._event("step-done", index=index, saw=saw, waited_us=waited_us)
            case Missed(_, message):
                self._event("invalid", reason=message)
                return False
            case Over():
                return False
        return True

    def _act(self, step: Step, view: View, load: LocustLoad) -> None:
        testbed = self._testbed
        match step.action:
            case "start":
                for name in step.start or ():
                    self._event("class-start", **{"class": name})
                    load.start(name)
            case "stop":
                for name in step.stop or ():
                    load.stop(name)
            case "scale" if step.scale:
                self._scale(step.scale, view)
            case "reweigh" if step.reweigh:
                testbed.set_weight(view.address(step.reweigh.server), step.reweigh.weight)
            case "remove" if step.remove:
                testbed.remove_server(view.address(step.remove))
                view.left(step.remove)
            case "kill" if step.kill:
                testbed.kill_server(view.address(step.kill))

    def _scale(self, count: int, view: View) -> None:
        while len(view.present) < count:
            self._joined(view, self._testbed.add_server(1), 1)
        while len(view.present) > count:
            newest = view.present[-1]
            self._testbed.remove_server(view.address(newest))
            view.left(newest)

    def _finish(self, view: View, load: LocustLoad) -> None:
        """The last answers, then counters that show the last connection."""
        finished = gevent.spawn(load.finish, _GRACE_S)
        finished.link(lambda _: self._inbox.put(None))
        while not finished.dead:
            self._next(view, None)
        finished.get()
        for reason in load.overloads():
            self._event("invalid", reason=reason)
        settled = self._last_connection_us + _COUNTERS_SETTLE_US
        while view.sample_us < settled:
            deadline = max(settled, self._clock.now_us()) + _TABLE_WITHIN_US
            if not self._next(view, deadline) and self._clock.now_us() >= deadline:
                raise InvalidRunError("the sidecar sent no sample after the last connection")
