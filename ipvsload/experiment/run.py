"""One run: a scenario's timeline against one scheduler, driven by events.

Samples, classes that are done, a testbed that breaks, Ctrl-C and actions of a
person all come through one inbox (run_news.py); after each the timeline is asked what to
do. A run waits for nothing but its inbox, so every wait has a deadline. It knows
time only by the clock that it is given (clock.py).
"""

from ipvsload.errors import InvalidRunError, TestbedError
from ipvsload.experiment.finished_requests import (
    FinishedRequests,
    in_the_tables_words,
    through_directors,
)
from ipvsload.experiment.later_actions import LaterActions
from ipvsload.experiment.listed_connections import ListedConnections
from ipvsload.experiment.run_context import RunContext
from ipvsload.experiment.run_journal import RunJournal
from ipvsload.experiment.run_news import RunNews
from ipvsload.experiment.run_servers import RunTarget
from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.settling_runs import SETTLED_AFTER_US, SettlingRun, SettlingRuns
from ipvsload.experiment.stop_conditions import StopConditions
from ipvsload.experiment.timeline import Begin, Done, Missed, Over, Timeline
from ipvsload.load.base import LoadListener
from ipvsload.record import events
from ipvsload.scenario.url import HttpTarget
from ipvsload.scenario.variant import Variant
from ipvsload.testbed.base import ServiceSpec

_TABLE_WITHIN_US = 20_000_000
"""Deadline for the first sample that shows the run's service."""
_LIST_WITHIN_US = 30_000_000
"""Where only the director's list has some requests' servers: a long one is read for seconds."""
_WITNESS_WITHIN_US = 2_000_000
"""Where every answer named its server, and the list is a second witness."""
_OCCUPANCY_WITHIN_US = 5_000_000
"""How long the servers may take to tell how busy they were; they do so ten times a second."""
_GRACE_S = 5.0
"""Beyond a class's own timeout, for what is in flight at the end."""
_AFTER_MISSED_S = 5.0
"""For what is in flight when a wait has missed its deadline."""
_AFTER_STOP_S = 1.0
"""The same where a condition ended the run early."""


def play_run(
    context: RunContext,
    settling: SettlingRuns,
    number: int,
    variant: Variant,
    repeat: int,
    *,
    to_its_end: bool,
) -> None:
    """Play the timeline from a new service to the last answer, recorded as run `number`.

    A wait that misses its deadline, an overloaded generator and the like are
    recorded as "invalid". Raises TestbedError when the testbed broke and
    InvalidRunError when somebody interrupted it; what was recorded until then
    stays.

    Where the testbed lets its service stay, it is one of `settling` on return, unless it shall
    be played `to_its_end`.
    """
    clock, testbed = context.clock, context.testbed
    marks = [clock.now_us()]
    journal = RunJournal(context, number)
    run = _Run(context, journal, settling, variant, repeat)
    try:
        run.await_service()
        marks.append(clock.now_us())
        timeouts = testbed.tcp_timeouts()
        grace = run.play_steps()
        marks.append(clock.now_us())
        run.finish_load(grace)
        timeouts = testbed.tcp_timeouts() - timeouts
        run.close()
        settled_us = run.settled_us(retransmitted=timeouts > 0)
        remove = None if to_its_end or not run.key else testbed.retire()
        if remove is None:
            run.await_counters(settled_us)
        journal.align_clocks()
    except BaseException:
        run.close()
        run.follow_no_more()
        raise
    if testbed.packet_watch:
        journal.keep_packets(testbed.packet_watch)
    if remove is None:
        run.follow_no_more()
        testbed.end()
    marks.append(clock.now_us())
    spans = zip(("setup", "timeline", "teardown"), marks, marks[1:], strict=False)
    seconds = {name: (end - start) / 1e6 for name, start, end in spans}
    if remove is None:
        ended = events.RunEnded(
            *journal.now(), complete=True, retransmits=timeouts, seconds=seconds
        )
        journal.record(ended)
    else:
        settling.add(
            SettlingRun(journal, run.state, run.key, settled_us, remove, timeouts, seconds)
        )


class _Run:
    """The run of `journal`, whose service is there: its phases, in the order of the methods."""

    def __init__(
        self,
        context: RunContext,
        journal: RunJournal,
        settling: SettlingRuns,
        variant: Variant,
        repeat: int,
    ) -> None:
        self._context = context
        self._journal = journal
        self._clock = context.clock
        self._closed = False
        testbed, planned = context.testbed, context.scenario.service
        journal.planned(variant, repeat)
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
        watch = testbed.packet_watch
        if watch:
            watch.begin(service)
        journal.started(variant, repeat, service)
        addresses = (address for address, _ in service.servers)
        record = in_the_tables_words(context.writer.requests, addresses)
        record = through_directors(record, service.director_ports)
        told = context.samples.tells_connections
        self._list = ListedConnections(service, told, context.writer.connections)
        self._requests = FinishedRequests(record, testbed, self._listed_until_us)
        self._load = context.make_load(
            context.scenario.traffic,
            HttpTarget(service.target.host, service.target.port, service.target.tls),
            LoadListener(
                journal.number,
                zero_ns=self._clock.zero_ns,
                on_finished=self._requests.add,
                on_done=self._class_done,
                on_error=context.inbox.put,
            ),
            # Each scheduler has the same: common random numbers.
            f"{context.scenario.seed}/{draws}",
        )
        self.state = RunState(self._load.counts)
        later = LaterActions(context.clock)
        self._target = RunTarget(
            testbed,
            self.state,
            journal.server_joined,
            journal.server_suffers,
            later.add,
            self._load,
            journal.class_started,
        )
        self.key = service.target.key
        """The service's name in samples; "" where nothing reads the table."""
        self._news = RunNews(
            context, journal, self.state, later, self._target, settling,
            key=self.key, connections=self._list, watch=watch,
        )  # fmt: skip

    def _class_done(self, name: str) -> None:
        self._journal.class_done(name)
        self._context.inbox.put(None)

    def await_service(self) -> None:
        """Follow the service's samples, and wait until they show every real server."""
        for node, clock in self._load.clocks:
            self._journal.clock_aligned(node, clock)
        self._target.register(self._service.servers)
        # Before a sample comes: without it, its time would be one of the sidecar's clock.
        self.state.uncertainty_us = self._journal.align_clocks()
        self._news.follow()
        self._context.samples.look()
        state, key = self.state, self.key
        deadline = self._clock.now_us() + _TABLE_WITHIN_US
        while key and not all(state.in_table(address) for address in state.servers):
            self._news.take(deadline)
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
        journal, now_us = self._journal, self._clock.now_us
        while True:
            stop = stops.held(self.state, now_us())
            if stop is not None:
                condition, seen, measured = stop
                journal.record(events.RunStopped(*journal.now(), str(condition), seen, measured))
                return _AFTER_STOP_S
            match timeline.ask(self.state, now_us()):
                case None:
                    until = timeline.look_again_us(now_us())
                    self._news.take(stops.look_again_us(now_us(), until))
                    in_background = self._context.inbox.run_in_background
                    self._requests.ask_now_and_then(now_us(), in_background)
                    self._context.progress.update(self.state, timeline)
                case Begin(index, step):
                    action = step.action.describe()
                    journal.record(events.StepStarted(*journal.now(), index, action))
                    step.action.carry_out(self._target)
                    timeline.begun(now_us())
                case Done(index, saw, waited_us):
                    journal.record(events.StepDone(*journal.now(), index, saw, waited_us))
                case Missed(_, message):
                    journal.invalid(message)
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
            self._news.take(None)
        self._context.samples.look(connections=self._list.target is not None)
        self._await_list()
        self._await_occupancy()
        self._requests.ask_for_all()
        for reason in self._load.overloads():
            self._journal.invalid(reason)

    def _await_list(self) -> None:
        """Wait until the director's list has told the last connection, where it tells all.

        What it has not told then is not known; the record says until when it was read.
        """
        if self._list.target is None:
            return
        requests = self._requests
        within = _LIST_WITHIN_US if requests.any_unnamed else _WITNESS_WITHIN_US
        deadline = self._clock.now_us() + within
        while not self._list.lacking and self._listed_until_us() < requests.last_end_us:
            self._news.take(deadline)
            if self._clock.now_us() >= deadline:
                return

    def _await_occupancy(self) -> None:
        """Wait until the servers have told of the last request, where they tell of any."""
        state, deadline = self.state, self._clock.now_us() + _OCCUPANCY_WITHIN_US
        while 0 <= state.occupancy_us < self._requests.last_end_us:
            self._news.take(deadline)
            if self._clock.now_us() >= deadline:
                self._journal.invalid("the real servers did not tell how busy they were at the end")
                return

    def _listed_until_us(self) -> int:
        state = self.state
        return self._list.known_until_us(state.nodes) - state.uncertainty_us

    def settled_us(self, retransmitted: bool) -> int:
        """When a sample must have been taken whose counters show the last connection.

        A SYN that was sent again made its connection later than is known here,
        at the end of the last request at the latest. And the sample must be of
        now: where the sidecar's lines were held up, those of the last requests
        are still on their way.
        """
        requests = self._requests
        last_us = requests.last_end_us if retransmitted else requests.last_connection_us
        return max(last_us + SETTLED_AFTER_US, self._clock.now_us())

    def await_counters(self, settled_us: int) -> None:
        """Wait for that sample, where something reads the table."""
        deadline = settled_us + _TABLE_WITHIN_US
        self._context.samples.look()
        while self.key and self.state.sample_us < settled_us:
            self._news.take(deadline)
            if self._clock.now_us() >= deadline:
                raise InvalidRunError("the sidecar sent no sample after the last connection")

    def close(self) -> None:
        """Cut off what is in flight; everything that ended is recorded. May be called again."""
        if self._closed:
            return
        self._closed = True
        self._news.unfollow_servers()
        self._load.close()
        self._requests.give_up()

    def follow_no_more(self) -> None:
        """Hear no more of the service."""
        self._context.samples.follow(self._journal.number, self.key, None)
