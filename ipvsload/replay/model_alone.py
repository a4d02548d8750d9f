"""What the model gives to each server by itself: the same arrivals, but its own choices."""

from collections import Counter
from collections.abc import Iterable

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.replay.director_events import DirectorEvent, EventKind
from ipvsload.replay.table_changes import ServerTable, TableChange


def model_alone(
    events: Iterable[DirectorEvent], table: ServerTable, settings: ServiceSettings
) -> Counter[str]:
    """Connections by the server's address.

    A connection ends when the measured one did, also where it has another server.
    """
    model = DirectorModel(settings)
    numbers = {address: model.join(address, weight) for address, weight in table.servers}
    changes = list(table.changes[::-1])
    begun = set()
    given = [0] * len(numbers)
    for event in events:
        now, client = event.t_ns, event.client
        while changes and changes[-1].late_ns <= now:
            _change(model, numbers, changes.pop())
            given += [0] * (len(model.servers) - len(given))
        if event.kind == EventKind.SYN:
            if client in begun:
                continue
            number = model.choose(client, now)
            if number is not None:
                model.opened(client, number, now)
                given[number] += 1
                begun.add(client)
        else:
            begun.discard(client)
            if event.kind == EventKind.FIN:
                model.closing(client, event.side, now)
            else:
                model.reset(client, event.side, now)
    found: Counter[str] = Counter()
    for number, many in enumerate(given):
        found[model.servers.addresses[number]] += many
    return found


def _change(model: DirectorModel, numbers: dict[str, int], change: TableChange) -> None:
    number = numbers.get(change.address)
    if change.scheduler:
        model.set_scheduler(change.scheduler)
    elif change.weight is None:
        if number is not None:
            model.leave(number)
            del numbers[change.address]
    elif number is None:
        numbers[change.address] = model.join(change.address, change.weight)
    else:
        model.set_weight(number, change.weight)
