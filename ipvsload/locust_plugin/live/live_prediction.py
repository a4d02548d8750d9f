"""The model of the scheduler beside the kernel, while a test goes on: what it gives to each server.

It knows when this process began and ended each connection, and what samples show of the table. It
makes all choices by itself (model_followers.py), so it foretells shares and no single choice:
without packets nobody knows the order of what happened at about the same time.

The load only notes what happens. `work` follows it later, a little at a time, so that the load
does not wait. Where that is not enough, the prediction ends and says why.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ipvsload.ipvs.lc_laws import USUAL_LC_LAW
from ipvsload.ipvs.table import VirtualService
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.load.connection_watch import ConnectionEnd
from ipvsload.locust_plugin.live.connection_rate import DELAY_US, REFRESH_US
from ipvsload.locust_plugin.live.model_followers import ForetoldCount, ModelFollower, follower
from ipvsload.locust_plugin.live.prediction_basis import NOT_ASKED, PredictionBasis
from ipvsload.replay.table_changes import TableChange, server_changes
from ipvsload.replay.told_settings import (
    NotReplayableError,
    ToldSettings,
    rule_name,
    service_settings,
)

MOST_WAITING = 20_000
"""Events that may wait: more come only where they come quicker than they are followed."""
MOST_REMEMBERED = 400_000
"""Connections in all tables together; each takes 260 bytes, for two minutes after its end."""
_AT_ONCE = 256
"""Events of one model: about a millisecond, half of what the load's own loop takes at once."""

_TOO_QUICK = "connections come quicker than the model follows them without slowing the load down"
_TOO_MANY = f"the model would have to remember more than {MOST_REMEMBERED:,} connections"
_SEVERAL = "several directors balance, and each chooses by the connections that go through itself"


_Connection = tuple[str, int, int, int]
"""What happened to one: its client's address and port, the time (ns), and its end or _OPENED."""
_OPENED = 0


class _Sampled(NamedTuple):
    t_us: int
    service: VirtualService


class LivePrediction:
    """Follows one test at a time; `why` says why there is no prediction, "" where there is one.

    `told` has the settings of a node for a service of this key, None where nobody has told them.
    `on_change` is called when `servers` or `why` have changed. It is a `ConnectionWatch` of the
    load.
    """

    def __init__(
        self, told: Callable[[str, str], ToldSettings | None], on_change: Callable[[], None]
    ) -> None:
        self._told, self._on_change = told, on_change
        self._begin(NOT_ASKED, "")

    def begin(self, basis: PredictionBasis, key: str) -> None:
        """Another test, whose service has this key, begins."""
        self._begin(basis, key)
        self._on_change()

    def _begin(self, basis: PredictionBasis, key: str) -> None:
        self.why = basis.why
        self.servers: dict[str, ForetoldCount] = {}
        """By address, as of the time at which the kernel counted the server's connections last."""
        self._basis, self._key = basis, key
        self._model: ModelFollower | None = None
        """From the first sample on."""
        self._joined: dict[str, int] = {}
        self._node: str | None = None
        self._scheduler = ""
        self._weights: dict[str, int] = {}
        self._conns: dict[str, int] = {}
        self._past: deque[tuple[int, dict[str, ForetoldCount]]] = deque()
        self._refreshed: tuple[int, dict[str, ForetoldCount]] | None = None
        """The last of `past`, if it was the first to find a refresh."""
        self._waiting: deque[_Connection | _Sampled | TableChange | None] = deque()

    @property
    def draws(self) -> int:
        """How many models follow the test; 0 where chances are known (model_followers.py)."""
        return self._model.draws if self._model else 1

    # What happens, as it happens

    def opened(self, client: str, port: int, now_ns: int) -> None:
        """See `ConnectionWatch`."""
        if not self.why:
            self._waiting.append((client, port, now_ns, _OPENED))

    def ended(self, client: str, port: int, now_ns: int, how: ConnectionEnd) -> None:
        """See `ConnectionWatch`."""
        if not self.why:
            self._waiting.append((client, port, now_ns, how))

    def joined(self, address: str, weight: int) -> None:
        """A server has joined the table, in which no sample may have shown it yet."""
        if self.why:
            return
        if self._model:
            self._waiting.append(TableChange(0, 0, address, weight))
        else:
            self._joined[address] = weight

    def sampled(self, node: str, t_us: int, service: VirtualService) -> None:
        """A node's table has the service like this."""
        if self.why:
            return None
        if self._node is None:
            self._node = node
            try:
                self._model = self._begun(service)
            except NotReplayableError as error:
                return self._give_up(str(error))
            self._scheduler = service.scheduler
            self._weights = _weights(service)
            self._conns = _conns(service)
        elif node != self._node:
            return self._give_up(_SEVERAL)
        self._waiting.append(_Sampled(t_us, service))
        return None

    def gone(self, node: str) -> None:
        """A node's table has the service no more: its counts are the last ones."""
        if not self.why and node == self._node:
            self._waiting.append(None)

    def work(self) -> bool:
        """Follow some of what has happened; whether more waits."""
        model, waiting = self._model, self._waiting
        if len(waiting) > MOST_WAITING:
            self._give_up(_TOO_QUICK)
            return False
        if model is None:
            return False
        for _ in range(min(len(waiting), _AT_ONCE // max(1, model.draws))):
            event = waiting.popleft()
            if isinstance(event, _Sampled):
                self._changed(model, event.service)
                if self.why:
                    return False
                self._count(event.t_us, model.counts(), _conns(event.service))
            elif isinstance(event, TableChange):
                model.change(event)
            elif event is None:
                self._foretell(model.counts(), self._weights)
            else:
                address, port, now_ns, end = event
                if end:
                    model.ended(Client(address, port), now_ns, end)
                else:
                    model.opened(Client(address, port), now_ns)
        if model.remembered > MOST_REMEMBERED:
            self._give_up(_TOO_MANY)
            return False
        return bool(waiting)

    # Inside

    def _begun(self, service: VirtualService) -> ModelFollower:
        """Raises NotReplayableError."""
        basis = self._basis
        told = self._told(self._node or "", self._key) or ToldSettings()
        told = told._replace(forwarding=told.forwarding or basis.forwarding)
        law = basis.lc_law or USUAL_LC_LAW
        rule = rule_name(service.scheduler)
        own = service_settings(rule, self._key, service, told, law, basis.netmask)
        # The table lists the newest server first.
        servers = self._joined or dict(reversed(_weights(service).items()))
        return follower(own, [*servers.items()])

    def _changed(self, model: ModelFollower, service: VirtualService) -> None:
        """What this sample shows that the one before did not."""
        weights = _weights(service)
        changes = list(server_changes(self._weights, weights, 0, 0))
        if service.scheduler != self._scheduler:
            rule = RULES.get(service.scheduler)
            if rule is None:
                return self._give_up(f"the model does not know the rule of {service.scheduler}")
            if not model.draws or (rule.by_chance and model.draws == 1):
                return self._give_up(
                    f"the scheduler was changed to {service.scheduler}: a test that begins with it"
                    " is foretold"
                )
            changes.append(TableChange(0, 0, scheduler=service.scheduler))
        self._weights, self._scheduler = weights, service.scheduler
        for change in changes:
            model.change(change)
        return None

    def _count(self, t_us: int, now: dict[str, ForetoldCount], conns: Mapping[str, int]) -> None:
        """Have what is foretold of each server at the time which its measured count is of.

        The kernel refreshes a server's count every two seconds (connection_rate.py): where it
        moved, it is of now; where it did not, it may be as old as that.
        """
        past = self._past
        past.append((t_us, now))
        while len(past) > 1 and past[1][0] <= t_us - DELAY_US:
            past.popleft()
        fresh = [address for address, count in conns.items() if count != self._conns.get(address)]
        self._conns.update(conns)
        # One refresh may be found in part by the next sample.
        before_us, refreshed = self._refreshed or (t_us, now)
        if t_us - before_us >= REFRESH_US // 2:
            refreshed = now
        self._refreshed = (t_us, now) if fresh and refreshed is now else None
        self._foretell(refreshed, fresh)
        if past[0][0] <= t_us - DELAY_US:
            self._foretell(past[0][1], conns)

    def _foretell(self, given: Mapping[str, ForetoldCount], addresses: Iterable[str]) -> None:
        """Have these counts of these servers, but for those of which there are later ones."""
        moved = False
        for address in addresses:
            found, before = given.get(address), self.servers.get(address)
            if found and (before is None or found.mean > before.mean):
                self.servers[address] = found
                moved = True
        if moved:
            self._on_change()

    def _give_up(self, why: str) -> None:
        self._begin(PredictionBasis(why=why), "")
        self._on_change()


def _weights(service: VirtualService) -> dict[str, int]:
    return {server.address: server.weight for server in service.servers}


def _conns(service: VirtualService) -> dict[str, int]:
    return {server.address: server.conns for server in service.servers}
