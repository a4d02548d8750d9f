"""What follows a test's connections as the model would give them to servers.

A scheduler that goes by the history of connections is followed by models of a director, which
choose by themselves: by one, or by DRAWS with different draws where it leaves something to chance.
One that goes by weights and chance alone needs no history: its counts have known means.
"""

from collections import deque
from collections.abc import Sequence
from math import sqrt
from random import Random
from typing import NamedTuple, Protocol

from ipvsload.ipvs_model.director_model import ServiceSettings
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings
from ipvsload.ipvs_model.server_list import ServerList
from ipvsload.ipvs_model.tcp_states import Side, TcpTimeouts
from ipvsload.ipvs_model.timer_wheel import SECOND_NS
from ipvsload.load.connection_watch import ConnectionEnd
from ipvsload.replay.model_alone import ModelAlone
from ipvsload.replay.table_changes import TableChange

DRAWS = 5
"""So many models follow a scheduler that draws by chance."""
_SYN_REMEMBERED_NS = TcpTimeouts().syn_recv * SECOND_NS
_NINETEEN_OF_TWENTY = 1.96
"""Standard deviations: a normal variable is nearer to its mean in 95 % of all cases."""


class ForetoldCount(NamedTuple):
    """How many connections a server is given: the mean, and between which two it is.

    Of one certain choice all three are the same; of DRAWS they are the extremes; of known chances
    19 of 20 counts are between them.
    """

    mean: float
    least: int
    most: int


class ModelFollower(Protocol):
    """Follows one test. `draws` is how many models do; 0 where the chances are known.

    Times are ns and never go back.
    """

    draws: int

    @property
    def remembered(self) -> int:
        """How many connections are kept in memory."""

    def opened(self, client: Client, now_ns: int) -> None:
        """A connection begins."""

    def ended(self, client: Client, now_ns: int, how: int) -> None:
        """It ends; `how` is a ConnectionEnd."""

    def change(self, change: TableChange) -> None:
        """The table is another."""

    def counts(self) -> dict[str, ForetoldCount]:
        """What each server has been given, by its address."""


def follower(settings: ServiceSettings, servers: Sequence[tuple[str, int]]) -> ModelFollower:
    """Of a service with these servers and weights, as they joined."""
    expected = _ExpectedCounts(settings, servers)
    return expected if expected.known else _Models(settings, servers)


class _Models:
    def __init__(self, settings: ServiceSettings, servers: Sequence[tuple[str, int]]) -> None:
        self.draws = DRAWS if RULES[settings.scheduler].by_chance else 1
        self._models = [
            ModelAlone(settings._replace(draw=Random(number).random), servers)
            for number in range(self.draws)
        ]
        self._unanswered: deque[tuple[int, Client]] = deque()
        """Those whose SYN had no answer, and when (ns) the kernel forgets them."""

    @property
    def remembered(self) -> int:
        return sum(model.remembered for model in self._models)

    def opened(self, client: Client, now_ns: int) -> None:
        if self._unanswered:
            self._forget(now_ns)
        for model in self._models:
            model.opened(client, now_ns)

    def ended(self, client: Client, now_ns: int, how: int) -> None:
        if self._unanswered:
            self._forget(now_ns)
        if how == ConnectionEnd.UNANSWERED:
            self._unanswered.append((now_ns + _SYN_REMEMBERED_NS, client))
        for model in self._models:
            if how == ConnectionEnd.RESET:
                model.reset(client, Side.SERVER, now_ns)
            elif how == ConnectionEnd.UNANSWERED:
                model.given_up(client)
            else:
                model.closing(client, Side.SERVER, now_ns)
                model.closing(client, Side.CLIENT, now_ns)

    def change(self, change: TableChange) -> None:
        for model in self._models:
            model.change(change)

    def counts(self) -> dict[str, ForetoldCount]:
        given = [model.by_address() for model in self._models]
        return {
            address: ForetoldCount(sum(counts) / self.draws, min(counts), max(counts))
            for address in given[0]
            for counts in [[one[address] for one in given]]
        }

    def _forget(self, now_ns: int) -> None:
        while self._unanswered and self._unanswered[0][0] <= now_ns:
            due_ns, client = self._unanswered.popleft()
            for model in self._models:
                model.reset(client, Side.SERVER, due_ns)


class _ExpectedCounts:
    """Each connection is a draw of its own, so a server's count is a sum of binomial ones."""

    draws = 0
    remembered = 0

    def __init__(self, settings: ServiceSettings, servers: Sequence[tuple[str, int]]) -> None:
        self._servers = ServerList()
        self._numbers = {
            address: self._servers.join(address, weight) for address, weight in servers
        }
        rule = RuleSettings(settings.destination, settings.flags, settings.lc_law, settings.draw)
        self._rule = RULES[settings.scheduler](self._servers, rule)
        self.known = self._rule.chances() is not None
        """Whether the rule's chances are."""
        self._since = 0
        """Connections since the last change."""
        self._before = dict.fromkeys(self._numbers, (0.0, 0.0, 0))
        """The mean and the variance of each server's count until then, and its greatest."""

    def opened(self, client: Client, now_ns: int) -> None:
        self._since += 1

    def ended(self, client: Client, now_ns: int, how: int) -> None:
        """Nothing: connections do not count."""

    def change(self, change: TableChange) -> None:
        self._before, self._since = self._until_now(), 0
        number = self._numbers.get(change.address)
        if change.weight is None:
            if number is not None:
                self._servers.leave(self._numbers.pop(change.address))
        elif number is None:
            self._numbers[change.address] = self._servers.join(change.address, change.weight)
            self._before.setdefault(change.address, (0.0, 0.0, 0))
        else:
            self._servers.set_weight(number, change.weight)
        self._rule.changed()

    def counts(self) -> dict[str, ForetoldCount]:
        found = {}
        for address, (mean, variance, greatest) in self._until_now().items():
            far = _NINETEEN_OF_TWENTY * sqrt(variance)
            least, most = max(0, round(mean - far)), min(greatest, round(mean + far))
            found[address] = ForetoldCount(mean, least, most)
        return found

    def _until_now(self) -> dict[str, tuple[float, float, int]]:
        found, many = dict(self._before), self._since
        for number, chance in (self._rule.chances() or {}).items():
            mean, variance, greatest = found[self._servers.addresses[number]]
            found[self._servers.addresses[number]] = (
                mean + many * chance,
                variance + many * chance * (1 - chance),
                greatest + many,
            )
        return found
