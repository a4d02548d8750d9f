"""Decisions as a replay makes them, of a director in which the model itself chooses."""

from collections.abc import Iterator

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.replay.decision import Decision, ServerState
from ipvsload.report.decision_words import DecidingRun

CLIENT = "192.0.2.101"
FIRST_MS, EACH_MS, SERVICE_MS = 1_000, 20, 50


def server(number: int) -> str:
    return f"198.51.100.{10 + number}:80"


def deciding(scheduler: str, servers: int = 2, persistence: int = 0) -> DecidingRun:
    numbers = {server(number): number for number in range(1, servers + 1)}
    service = ServiceSettings(scheduler, "192.0.2.80", persistence=persistence)
    return DecidingRun(2, scheduler, service, FIRST_MS * 1000, numbers)


def decided(
    scheduler: str,
    count: int,
    weights: tuple[int, ...] = (1, 1),
    wrong: frozenset[int] = frozenset(),
    persistence: int = 0,
) -> Iterator[Decision]:
    """One connection each 20 ms, that lasts 50; the kernel gave those in `wrong` to server 1."""
    model = DirectorModel(ServiceSettings(scheduler, "192.0.2.80", persistence=persistence))
    numbers = [model.join(server(at), weight) for at, weight in enumerate(weights, 1)]
    open_until: list[tuple[int, Client]] = []
    for index in range(count):
        now = FIRST_MS + index * EACH_MS
        while open_until and open_until[0][0] <= now:
            end, client = open_until.pop(0)
            model.closing(client, Side.CLIENT, end * 1_000_000)
            model.closing(client, Side.SERVER, end * 1_000_000)
        client = Client(CLIENT, 20_000 + index)
        choice = model.choose(client, now * 1_000_000)
        chosen = 0 if index in wrong else choice
        states = tuple(
            ServerState(
                server(number + 1),
                int(model.servers.weights[place]),
                int(model.servers.active[place]),
                int(model.servers.inactive[place]),
                model.rule.score(number),
            )
            for number in numbers
            for place in (model.servers.place(number),)
        )
        if chosen is not None:
            model.opened(client, chosen, now * 1_000_000)
        open_until.append((now + SERVICE_MS, client))
        yield Decision(
            index,
            now * 1000,
            CLIENT,
            20_000 + index,
            "short" if index else None,
            None if chosen is None else server(chosen + 1),
            None if choice is None else server(choice + 1),
            "matched" if chosen == choice else "mismatched",
            states,
            by_rule=not persistence or index == 0,
        )
