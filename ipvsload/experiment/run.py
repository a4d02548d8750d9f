"""One run: a scenario's timeline against one scheduler, driven by events.

Samples, classes that are done, a testbed that breaks, Ctrl-C and actions of a
person all come through one inbox; after each the timeline is asked what to do.
A run waits for nothing but its inbox, so every wait has a deadline. It knows
time only by the clock that it is given (clock.py).
"""

from ipvsload.errors import InvalidRunError, TestbedError
from ipvsload.experiment.finished_requests import (
    FinishedRequests,
    in_the_tables_words,
    through_directors,
)
from ipvsload.experiment.later_actions import LaterActions
from ipvsload.experiment.run_context import RunContext
from ipvsload.experiment.run_servers import RunTarget
from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.stop_conditions import StopConditions
from ipvsload.experiment.timeline import Begin, Done, Missed, Over, Timeline
from ipvsload.load.base import LoadListener
from ipvsload.record import events
from ipvsload.record.clock_alignment import Alignment
from ipvsload.record.format import OccupancySample, Sample
from ipvsload.record.sidecar_stream import NodeLost
from ipvsload.record.witness import Witness
from ipvsload.scenario.server_conditions import Conditions
from ipvsload.scenario.url import HttpTarget
from ipvsload.scenario.variant import Variant
from ipvsload.testbed.base import ServiceSpec

_TABLE_WITHIN_US = 20_000_000
"""Deadline for the first sample that shows the run's service."""
_COUNTERS_SETTLE_US = 2_200_000
"""The kernel refreshes its per-server counters every 2 s (ip_vs_est.c)."""
_GRACE_S = 5.0
"""Beyond a class's own timeout, for what is in flight at the end."""
_AFTER_MISSED_S = 5.0
"""For what is in flight when a wait has missed its deadline."""
_AFTER_STOP_S = 1.0
"""The same where a condition ended the run early."""


def play_run(context: RunContext, number: int, variant: Variant, repeat: int) -> None:
    """Play the timeline from a new service to the last answer, recorded as run `number`.

    A wait that misses its deadline, an overloaded generator and the like are
    recorded as "invalid". Raises TestbedError when the testbed broke and
    InvalidRunError when somebody interrupted it; what was recorded until then
    stays.
    """
    clock, testbed = context.clock, context.testbed
    marks = [clock.now_us()]
    run = _Run(context, number, variant, repeat)
    try:
        run.await_service()
        marks.append(clock.now_us())
        timeouts = testbed.tcp_timeouts()
        grace = run.play_steps()
        marks.append(clock.now_us())
        run.finish_load(grace)
        timeouts = testbed.tcp_timeouts() - timeouts
        run.await_counters(retransmitted=timeouts > 0)
    finally:
        run.close()
    run.align_clocks()
    run.keep_packets()
    testbed.end()
    marks.append(clock.now_us())
    spans = zip(("setup", "timeline", "teardown"), marks, marks[1:], strict=False)
    seconds = {name: (end - start) / 1e6 for name, start, end in spans}
    run.record(events.RunEnded(*run.now(), complete=True, retransmits=timeouts, seconds=seconds))


class _Run:
    """Run `number`, whose service is there: its phases, in the order of the methods."""

    def __init__(self, context: RunContext, number: int, variant: Variant, repeat: int) -> None:
        self._context = context
        self._number = number
        self._clock = context.clock
        testbed, planned = context.testbed, context.scenario.service
        label = variant.label or None
        self.record(events.RunPlanned(*self.now(), variant.scheduler, repeat, label))
        draws = context.draws(variant.label, repeat)
        weights = planned.weights or (1,) * planned.servers
        self._service = service = testbed.begin(
            ServiceSpec(
                variant.scheduler,
                tuple(weights),
                planned.capacity,
                forwarding=variant.forwarding_in(planned.forwarding),
                settings=variant.settings,
                repeat=draws,
            )
        )
        self._watch = testbed.packet_watch
        if self._watch:
            self._watch.begin(service)
        self.record(
            events.RunStarted(
                *self.now(),
                scheduler=service.balancer,
                repeat=repeat,
                kernel=dict(testbed.kernel),
                service=service.target.key,
                baseline_conns=dict(service.baseline),
                exclusive=testbed.exclusive,
                guess=service.guess or None,
                hz=self._context.samples.hz,
                forwarding=service.forwarding or None,
                label=label,
                netmask=service.netmask,
            )
        )
        self._settings: dict[str, object] = {}
        """What is set on each node, as it was recorded last."""
        addresses = (address for address, _ in service.servers)
        record = in_the_tables_words(context.writer.request, addresses)
        record = through_directors(record, service.director_ports)
        self._requests = FinishedRequests(record, testbed)
        self._load = context.make_load(
            context.scenario.traffic,
            HttpTarget(service.target.host, service.target.port, service.target.tls),
            LoadListener(
                number,
                to_us=self._clock.from_ns,
                on_finished=self._requests.add,
                on_done=self._class_done,
                on_error=context.inbox.put,
            ),
            # Each scheduler has the same: common random numbers.
            f"{context.scenario.seed}/{draws}",
        )
        self._state = RunState(self._load.counts)
        self._later = LaterActions(context.clock)
        self._target = RunTarget(
            testbed,
            self._state,
            self._server_joined,
            self._server_suffers,
            self._later.add,
            self._load,
            self._class_started,
        )

    def now(self) -> tuple[int, int]:
        """The run's number and the time in µs: what each of its events begins with."""
        return self._number, self._clock.now_us()

    def record(self, event: events.Event) -> None:
        """Write the event, which is in the file on return, and show it."""
        self._context.writer.event(event)
        self._context.progress.happened(event)

    def await_service(self) -> None:
        """Follow the service's samples, and wait until they show every real server."""
        key = self._service.target.key
        for node, clock in self._load.clocks:
            self._clock_aligned(node, clock)
        self._target.register(self._service.servers)
        # Before a sample comes: without it, its time would be one of the sidecar's clock.
        self._state.uncertainty_us = self.align_clocks()
        self._context.samples.follow(self._number, key, self._context.inbox.put)
        if self._context.occupancy:
            self._context.occupancy.follow(self._number, self._context.inbox.put)
        state = self._state
        deadline = self._clock.now_us() + _TABLE_WITHIN_US
        while key and not all(state.in_table(address) for address in state.servers):
            self._take(deadline)
            if self._clock.now_us() >= deadline:
                raise TestbedError(
                    f"no sample showed the service with its {len(state.servers)} servers within"
                    f" {_TABLE_WITHIN_US / 1e6:.0f} s; does the sidecar run beside the balancer?"
                )
        state.began_us = self._clock.now_us()

    def play_steps(self) -> float | None:
        """Play the timeline; None at its end.

        A wait that misses its deadline ends it, and a condition under `stop-when`: then
        it says how many seconds what is in flight still has.
        """
        timeline = Timeline(self._context.scenario.timeline)
        stops = StopConditions(self._context.scenario.stop_when)
        now_us = self._clock.now_us
        while True:
            stop = stops.held(self._state, now_us())
            if stop is not None:
                condition, seen, measured = stop
                self.record(events.RunStopped(*self.now(), str(condition), seen, measured))
                return _AFTER_STOP_S
            match timeline.ask(self._state, now_us()):
                case None:
                    until = timeline.look_again_us(now_us())
                    self._take(stops.look_again_us(now_us(), until))
                    in_background = self._context.inbox.run_in_background
                    self._requests.ask_now_and_then(now_us(), in_background)
                    self._context.progress.update(self._state, timeline)
                case Begin(index, step):
                    self.record(events.StepStarted(*self.now(), index, step.action.describe()))
                    step.action.carry_out(self._target)
                    timeline.begun(now_us())
                case Done(index, saw, waited_us):
                    self.record(events.StepDone(*self.now(), index, saw, waited_us))
                case Missed(_, message):
                    self.record(events.RunInvalid(*self.now(), message))
                    return _AFTER_MISSED_S
                case Over():
                    return None

    def finish_load(self, grace: float | None) -> None:
        """Wait for the last answers, with `grace` for so many seconds at most."""
        finished = False

        def finish() -> None:
            nonlocal finished
            self._load.finish(_GRACE_S if grace is None else grace, soon=grace is not None)
            finished = True

        self._context.inbox.run_in_background(finish)
        while not finished or self._requests.asking:
            self._take(None)
        self._requests.ask_for_all()
        for reason in self._load.overloads():
            self.record(events.RunInvalid(*self.now(), reason))

    def await_counters(self, retransmitted: bool) -> None:
        """Wait for a sample whose counters show the last connection.

        A SYN that was sent again made its connection later than is known here,
        at the end of the last request at the latest. And the sample must be of
        now: where the sidecar's lines were held up, those of the last requests
        are still on their way.
        """
        if not self._service.target.key:
            return  # nothing reads the table
        requests = self._requests
        last_us = requests.last_end_us if retransmitted else requests.last_connection_us
        settled = max(last_us + _COUNTERS_SETTLE_US, self._clock.now_us())
        deadline = settled + _TABLE_WITHIN_US
        while self._state.sample_us < settled:
            self._take(deadline)
            if self._clock.now_us() >= deadline:
                raise InvalidRunError("the sidecar sent no sample after the last connection")

    def close(self) -> None:
        """Cut off what is in flight; everything that ended is recorded."""
        self._context.samples.follow(0, "", None)
        if self._context.occupancy:
            self._context.occupancy.follow(0, None)
        self._load.close()
        self._requests.give_up()

    def keep_packets(self) -> None:
        """Record what packets say of the run, where they were watched."""
        if self._watch is None:
            return
        seen = self._watch.end()
        table = seen.table.moved(self._clock.from_ns(0) * 1000)
        witness = Witness(table, seen.dropped)
        size = self._context.writer.packets(self._number, witness) if len(table) else 0
        self.record(
            events.WitnessKept(
                *self.now(),
                packets=len(table),
                dropped=seen.dropped,
                size=size,
                cpu_s=round(seen.cpu_s, 4),
                why=seen.why or None,
                director_us=table.director_us(),
            )
        )

    def align_clocks(self) -> int:
        """Measure the nodes' clocks; returns by how much the worst result may be wrong, in µs."""
        clocks = self._context.samples.align()
        aligned = (self._clock_aligned(node, clock) for node, clock in clocks.items())
        return max(aligned, default=0)

    def _clock_aligned(self, node: str, clock: Alignment) -> int:
        """A node's clock was measured; returns how far the result may be wrong, in µs."""
        uncertainty_us = -(-clock.uncertainty_ns // 1000)
        offset_us, booted_us = clock.offset_ns // 1000, self._clock.from_ns(-clock.offset_ns)
        self.record(events.ClockAligned(*self.now(), node, offset_us, uncertainty_us, booted_us))
        return uncertainty_us

    def _take(self, until_us: int | None) -> None:
        """Take one thing from the inbox, or wait until that time at most."""
        news = self._context.inbox.get(self._later.until_us(until_us))
        self._later.do_due()
        if isinstance(news, BaseException):
            raise news
        if isinstance(news, Sample):
            if self._watch:
                self._watch.take()
            if news.run == self._number:
                self._context.writer.sample(news)
                self._record_settings()
                self._state.sampled(news)
        elif isinstance(news, OccupancySample):
            if news.run == self._number:
                joined = set(self._state.servers)
                servers = tuple(one for one in news.servers if one.address in joined)
                told = OccupancySample(news.run, news.t_us, servers)
                self._context.writer.occupancy(told)
                self._state.occupied(told)
        elif isinstance(news, NodeLost):
            reason = f"node {news.node} was lost: {news.reason}"
            self.record(events.RunInvalid(*self.now(), reason))
            self._state.lost(news.node)
        elif news is not None:
            news.carry_out(self._target, self._changed_by_hand)

    def _record_settings(self) -> None:
        """Record what is set on a director where that is new to this run's record."""
        for node, told in self._context.samples.settings.items():
            if self._settings.get(node) is not told:
                self._settings[node] = told
                timeouts, sysctls = dict(told.timeouts), dict(told.sysctls)
                forwarding = told.forwardings.get(self._service.target.key)
                self.record(
                    events.DirectorSettings(
                        *self.now(), node, timeouts, sysctls, forwarding, told.ticks
                    )
                )

    def _server_joined(self, number: int, address: str, weight: int) -> None:
        self.record(events.ServerJoined(*self.now(), address, number, weight))

    def _server_suffers(self, number: int, address: str, conditions: Conditions) -> None:
        words = ", ".join(conditions)
        self.record(events.ServerCondition(*self.now(), address, number, words))

    def _class_started(self, name: str) -> None:
        self.record(events.ClassStarted(*self.now(), name))

    def _class_done(self, name: str) -> None:
        self.record(events.ClassDone(*self.now(), name))
        self._context.inbox.put(None)

    def _changed_by_hand(self, text: str) -> None:
        self.record(events.ChangedByHand(*self.now(), text))
