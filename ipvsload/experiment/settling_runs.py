"""Runs whose load has ended, and whose counts in the kernel have not: they settle meanwhile.

The kernel refreshes its per-server counters every 2 s (net/netfilter/ipvs/ip_vs_est.c). A
service that may stay in the table until they show the last connection does so while the next
run plays on a service of its own. Its samples are still recorded as its run's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ipvsload.errors import InvalidRunError
from ipvsload.experiment.clock import News
from ipvsload.experiment.run_context import RunContext
from ipvsload.experiment.run_journal import RunJournal
from ipvsload.experiment.run_state import RunState
from ipvsload.record.events import RunEnded
from ipvsload.record.format import Sample
from ipvsload.record.sidecar_stream import NodeLost

SETTLED_AFTER_US = 2_200_000
"""So long after the last connection the counters show it."""
_SAMPLE_WITHIN_US = 20_000_000


@dataclass(frozen=True)
class SettlingRun:
    """The run of `journal`, until a sample was taken at `settled_us`.

    `key` is its service's name in samples; `remove` removes it. `retransmits` and `seconds` are
    for its last event.
    """

    journal: RunJournal
    state: RunState
    key: str
    settled_us: int
    remove: Callable[[], None]
    retransmits: int
    seconds: dict[str, float]

    @property
    def settled(self) -> bool:
        """Whether its last sample has every connection."""
        return self.state.sample_us >= self.settled_us


class SettlingRuns:
    """Those of a session."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._runs: dict[int, SettlingRun] = {}

    def add(self, run: SettlingRun) -> None:
        """This one settles from now on; its samples are followed already."""
        self._runs[run.journal.number] = run

    def take(self, news: News) -> None:
        """Take what was not for the run that plays; may end a run."""
        if isinstance(news, Sample) and news.run in self._runs:
            run = self._runs[news.run]
            self._context.writer.sample(news)
            run.state.sampled(news)
            if run.settled:
                self._end(run)
        elif isinstance(news, NodeLost):
            for run in self._runs.values():
                run.state.lost(news.node)

    def _end(self, run: SettlingRun) -> None:
        journal = run.journal
        del self._runs[journal.number]
        self._context.samples.follow(journal.number, run.key, None)
        run.remove()
        ended = RunEnded(
            *journal.now(), complete=True, retransmits=run.retransmits, seconds=run.seconds
        )
        journal.record(ended)

    def finish(self) -> None:
        """Wait until every one has settled. Raises what comes instead, or InvalidRunError."""
        clock, inbox = self._context.clock, self._context.inbox
        settled = max((run.settled_us for run in self._runs.values()), default=0)
        while self._runs:
            news = inbox.get(settled + _SAMPLE_WITHIN_US)
            if isinstance(news, BaseException):
                raise news
            self.take(news)
            if self._runs and clock.now_us() >= settled + _SAMPLE_WITHIN_US:
                raise InvalidRunError("the sidecar sent no sample after the last connection")

    def give_up(self) -> None:
        """Hear no more of those that have not settled: they have not ended, says the record."""
        for number, run in self._runs.items():
            self._context.samples.follow(number, run.key, None)
        self._runs.clear()
