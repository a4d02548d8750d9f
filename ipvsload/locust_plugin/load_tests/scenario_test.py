"""A test that plays a scenario's timeline, under Locust's command.

It is the same run as `ipvsload run` makes, with one scheduler. Its users are
Locust's, here or on workers, so Locust's page and statistics have them, too.
"""

import logging
from pathlib import Path

import gevent

from ipvsload.described_machine import described_machine
from ipvsload.errors import IpvsloadError
from ipvsload.experiment.action_queue import QueuedAction
from ipvsload.experiment.gevent_inbox import GeventInbox
from ipvsload.experiment.no_samples import NoSamples
from ipvsload.experiment.progress import Progress
from ipvsload.experiment.run_context import RunContext
from ipvsload.experiment.run_directory import make_directory
from ipvsload.experiment.session import StoppedError, play
from ipvsload.ipvs.keys import split_key
from ipvsload.locust_plugin.arguments import Options
from ipvsload.locust_plugin.generators import Generators
from ipvsload.locust_plugin.load_tests.locust_test import offered, prediction_basis
from ipvsload.locust_plugin.load_tests.scenario_plan import Plan
from ipvsload.locust_plugin.testbed_session import TestbedSession
from ipvsload.record.events import (
    ChangedByHand,
    Event,
    RunStarted,
    RunStopped,
    ServerCondition,
    ServerJoined,
    StepStarted,
)
from ipvsload.record.writer import RunWriter
from ipvsload.report.figure_rows import column_header
from ipvsload.report.wording import remarks, verdict_line
from ipvsload.report.write import load_results, write_reports
from ipvsload.results.results import Results
from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.servers_needed import servers_needed

logger = logging.getLogger(__name__)

_STOPPED_WITHIN = 30.0


class ScenarioTest:
    """Plays `plan` in a greenlet of its own. Raises IpvsloadError where it cannot begin."""

    status: int | None = 4

    def __init__(
        self,
        session: TestbedSession,
        options: Options,
        plan: Plan,
        generators: Generators,
    ) -> None:
        self._session, self._plan = session, plan
        scenario = plan.scenario
        session.ready(servers_needed(scenario), scenario.service)
        directory = Path(options.out) if options.out else make_directory(scenario.name)
        writer = RunWriter(
            directory,
            scenario_text=plan.text,
            scenario=scenario.name,
            testbed=options.testbed,
            origin_unix_us=session.clock.origin_unix_us,
            machine=described_machine(),
        )
        self._directory = directory
        self._inbox = GeventInbox(session.clock)
        self._context = RunContext(
            scenario,
            session.testbed,
            writer,
            session.clock,
            self._inbox,
            session.sidecar or NoSamples(),
            generators.load_maker(session.testbed.socket_broker),
            _PageProgress(session, scenario, generators.unwatched),
            session.occupancy,
        )
        self._greenlet = gevent.spawn(self._play)

    @property
    def over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return bool(self._greenlet.dead)

    def carry_out(self, action: Action) -> str:
        """Carry an action out, and say what it did. Raises IpvsloadError."""
        queued = QueuedAction(action)
        self._inbox.put(queued)
        return queued.wait()

    def offers(self) -> dict[str, str]:
        """See `LocustTest`."""
        return offered(self._session.lacks, mix="the scenario decides how many users there are")

    def mix(self) -> dict[str, int]:
        """See `LocustTest`: nothing can be mixed."""
        return {}

    def worker_lost(self, reason: str) -> None:
        """Nothing: the run's load notices it by itself."""

    def stopping(self) -> None:
        """End the run now, while its users are still there."""
        self.stop()

    def stop(self) -> None:
        """End the run if it has not ended; return when it has."""
        if not self.over:
            self._inbox.put(StoppedError())
            self._greenlet.join(_STOPPED_WITHIN)
            self._greenlet.kill()

    def _play(self) -> None:
        failure: IpvsloadError | None = None
        with self._session.troubles(self._inbox.put):
            try:
                play(self._context, [self._plan.variant], 1)
            except IpvsloadError as error:
                failure = error
        try:
            recording, results = load_results(self._directory)
            page = write_reports(recording, results)
        except IpvsloadError as error:
            failure = failure or error
            words, self.status = str(failure), failure.exit_status
        else:
            words = verdict_line(results)
            self.status = failure.exit_status if failure else results.exit_status
            self._tell(results, page)
        if failure:
            logger.error("%s", failure)
            words = f"{words}: {failure}"
        self._session.feed.end(self._session.clock.now_us(), words)

    def _tell(self, results: Results, page: Path) -> None:
        for run in results.runs:
            for number, server in enumerate(run.servers, 1):
                counts = ", ".join(
                    f"{'?' if count is None else count} {name}"
                    for name, count in server.requests.items()
                )
                name = column_header(results.schedulers[0])
                logger.info("%s: server %s %s: %s", name, number, server.address, counts)
        for expectation in results.expectations:
            if expectation.held is not None:
                mark = "held" if expectation.held else "NOT HELD"
                logger.info("%s: %s (measured %s)", mark, expectation.expression,
                            expectation.measured)  # fmt: skip
        for note in remarks(results):
            logger.info("note: %s", note)
        for run in results.runs:
            for reason in run.reasons:
                logger.warning("%s", reason)
            if run.ended_early:
                logger.warning("%s", run.ended_early.reason)
        logger.info("%s; report: %s", verdict_line(results), page)


class _PageProgress(Progress):
    """A run's progress on the page. The session shows the samples, and the test the verdict."""

    def __init__(self, session: TestbedSession, scenario: Scenario, unwatched: str) -> None:
        self._session, self._scenario = session, scenario
        self._unwatched = unwatched

    def happened(self, event: Event) -> None:
        """Show steps and changes as marks on the time line."""
        feed, scenario = self._session.feed, self._scenario
        match event:
            case RunStarted():
                if event.service:
                    host = f"http://{split_key(event.service).target}"
                    self._session.environment.host = host
                feed.begin(
                    event.t_us,
                    title=scenario.title or scenario.name,
                    scheduler=event.scheduler,
                    label=event.label or "",
                    service=event.service,
                    classes=list(scenario.traffic),
                    basis=prediction_basis(
                        self._session.testbed,
                        self._unwatched,
                        event.forwarding or "",
                        event.netmask,
                    ),
                )
            case ServerJoined():
                feed.joined(event.number, event.server, event.weight)
            case ServerCondition():
                words = filter(None, event.words.split(", "))
                feed.suffers(event.t_us, event.server, tuple(words))
            case StepStarted() | ChangedByHand():
                feed.mark(event.t_us, event.text)
            case RunStopped():
                feed.mark(event.t_us, f"ended early: {event.condition}: {event.seen}")
