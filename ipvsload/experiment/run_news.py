"""The news of a run as they come out of its inbox, one at a time: each goes where it belongs.

A run waits for nothing else, and a wait has a deadline.
"""

from ipvsload.experiment.later_actions import LaterActions
from ipvsload.experiment.listed_connections import ListedConnections
from ipvsload.experiment.run_context import RunContext
from ipvsload.experiment.run_journal import RunJournal
from ipvsload.experiment.run_servers import RunTarget
from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.settling_runs import SettlingRuns
from ipvsload.record.events import ListRead
from ipvsload.record.format import NewConnections, OccupancySample, Sample
from ipvsload.record.sidecar_stream import NodeLost
from ipvsload.testbed.base import PacketWatch


class RunNews:
    """Takes them for the run of `journal`: into the record, and into what is known of it.

    `key` is its service's name in samples, and `connections` takes what is told of those; `later`
    is done when it is due, and actions of a person are carried out on `target`. Samples of runs
    before this one are for `settling`.
    """

    def __init__(
        self,
        context: RunContext,
        journal: RunJournal,
        state: RunState,
        later: LaterActions,
        target: RunTarget,
        settling: SettlingRuns,
        *,
        key: str,
        connections: ListedConnections,
        watch: PacketWatch | None,
    ) -> None:
        self._context = context
        self._journal = journal
        self._state = state
        self._later = later
        self._target = target
        self._settling = settling
        self._key = key
        self._connections = connections
        self._watch = watch

    def follow(self) -> None:
        """From now on hear of the service and of its real servers."""
        context, number = self._context, self._journal.number
        context.samples.follow(number, self._key, context.inbox.put, self._connections.target)
        if context.occupancy:
            context.occupancy.follow(number, context.inbox.put)

    def unfollow_servers(self) -> None:
        """Hear of what real servers tell no more."""
        if self._context.occupancy:
            self._context.occupancy.follow(0, None)

    def take(self, until_us: int | None) -> None:
        """Take one thing from the inbox, or wait until that time at most.

        Raises the error that somebody put there.
        """
        news = self._context.inbox.get(self._later.until_us(until_us))
        self._later.do_due()
        match news:
            case BaseException():
                raise news
            case Sample():
                self._sampled(news)
            case NewConnections():
                if news.run == self._journal.number:
                    self._connections.add(news)
            case ListRead():
                if news.run == self._journal.number:
                    self._journal.record(news)
                    self._connections.read(news)
            case OccupancySample():
                self._occupied(news)
            case NodeLost(node, reason):
                self._journal.invalid(f"node {node} was lost: {reason}")
                self._state.lost(node)
                self._settling.take(news)
            case None:
                pass
            case _:
                news.carry_out(self._target, self._journal.changed_by_hand)

    def _sampled(self, sample: Sample) -> None:
        if self._watch:
            self._watch.take()
        if sample.run != self._journal.number:
            self._settling.take(sample)
        else:
            self._context.writer.sample(sample)
            self._journal.director_settings(self._key)
            self._state.sampled(sample)

    def _occupied(self, sample: OccupancySample) -> None:
        if sample.run == self._journal.number:
            joined = set(self._state.servers)
            servers = tuple(one for one in sample.servers if one.address in joined)
            told = OccupancySample(sample.run, sample.t_us, servers)
            self._context.writer.occupancy(told)
            self._state.occupied(told)
