"""What the model gives to each server by itself: the same arrivals, but its own choices."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.replay.director_events import DirectorEvent, EventKind
from ipvsload.replay.table_changes import ServerTable, TableChange


class ModelAlone:
    """A director whose own choices are followed, with `servers` and their weights at first.

    A connection ends when the measured one did, also where it has another server. Times are ns
    and never go back.
    """

    def __init__(self, settings: ServiceSettings, servers: Sequence[tuple[str, int]]) -> None:
        self._model = DirectorModel(settings)
        self._numbers = {address: self._model.join(address, weight) for address, weight in servers}
        self._begun: set[Client] = set()
        """Connections without a FIN or RST until now."""
        self.given = [0] * len(self._numbers)
        """Connections by the number of the server, as they joined: those that the kernel counts."""
        self.refused = 0
        """Connections that the rule had no server for."""

    @property
    def addresses(self) -> list[str]:
        """By the number of the server; one that joined again has two."""
        return self._model.servers.addresses

    @property
    def remembered(self) -> int:
        """How many connections are in its table, those that are over included."""
        return len(self._model)

    def opened(self, client: Client, now_ns: int) -> None:
        """A SYN of this client; one that is sent again changes nothing."""
        if client in self._begun:
            return
        number = self._model.choose(client, now_ns)
        if number is None:
            self.refused += 1
            return
        if self._model.opened(client, number, now_ns):
            self.given[number] += 1
        self._begun.add(client)

    def closing(self, client: Client, side: Side, now_ns: int) -> None:
        """A FIN of this side."""
        self._begun.discard(client)
        self._model.closing(client, side, now_ns)

    def reset(self, client: Client, side: Side, now_ns: int) -> None:
        """A RST of this side."""
        self._begun.discard(client)
        self._model.reset(client, side, now_ns)

    def given_up(self, client: Client) -> None:
        """This client sends no more: its entry stays, and another SYN is another connection's."""
        self._begun.discard(client)

    def change(self, change: TableChange) -> None:
        """A server joins, leaves or has another weight, or the scheduler is another."""
        model, numbers = self._model, self._numbers
        number = numbers.get(change.address)
        if change.scheduler:
            model.set_scheduler(change.scheduler)
        elif change.weight is None:
            if number is not None:
                model.leave(number, change.late_ns)
                del numbers[change.address]
        elif number is None:
            numbers[change.address] = model.join(change.address, change.weight)
            self.given.append(0)
        else:
            model.set_weight(number, change.weight)

    def by_address(self) -> Counter[str]:
        """Connections by the server's address."""
        found: Counter[str] = Counter()
        for address, many in zip(self.addresses, self.given, strict=True):
            found[address] += many
        return found


def model_alone(
    events: Iterable[DirectorEvent], table: ServerTable, settings: ServiceSettings
) -> Counter[str]:
    """Connections by the server's address, of all these events and the table's changes."""
    model = ModelAlone(settings, table.servers)
    changes = list(table.changes[::-1])
    for event in events:
        now, client = event.t_ns, event.client
        while changes and changes[-1].late_ns <= now:
            model.change(changes.pop())
        if event.kind == EventKind.SYN:
            model.opened(client, now)
        elif event.kind == EventKind.FIN:
            model.closing(client, event.side, now)
        else:
            model.reset(client, event.side, now)
    return model.by_address()
