"""A server that leaves and comes again has the connections that it had, as in the kernel."""

from collections import Counter

import pytest

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.replay.counted_events import counted_events
from ipvsload.replay.director_events import DirectorEvent, EventKind
from ipvsload.replay.table_changes import ServerTable, TableChange

SETTINGS = ServiceSettings("lc", "192.0.2.80")
OTHER, AGAIN = "198.51.100.11:80", "198.51.100.12:80"
MS = 1_000_000


def event(at_ms: int, kind: EventKind, port: int) -> DirectorEvent:
    side = Side.CLIENT if kind == EventKind.SYN else Side.SERVER
    at = at_ms * MS
    server = AGAIN if kind == EventKind.SYN else None
    return DirectorEvent(at, at, at, kind, Client("192.0.2.101", port), side, server, side)


@pytest.mark.parametrize("weight", [1, 3])
def test_its_old_counts_come_back_with_it_and_end_where_they_are(weight: int) -> None:
    ports = range(3_000, 3_004)
    events = [
        *(event(place, EventKind.SYN, port) for place, port in enumerate(ports, 1)),
        event(5, EventKind.FIN, ports[0]),
        event(10, EventKind.SYN, 4_000),  # after it has come again
        event(11, EventKind.FIN, ports[1]),
    ]
    changes = (
        TableChange(6 * MS, 6 * MS, AGAIN),
        TableChange(7 * MS, 7 * MS, AGAIN, weight),
        TableChange(8 * MS, 8 * MS, AGAIN, weight + 1),  # another weight moves nothing
        # A second time, and a weight before: each time it has the number after.
        TableChange(12 * MS, 12 * MS, AGAIN),
        TableChange(13 * MS, 13 * MS, AGAIN, weight),
    )
    table = ServerTable(((OTHER, 1), (AGAIN, 1)), changes)
    active: Counter[int] = Counter()
    inactive: Counter[int] = Counter()
    seen = []
    for one in counted_events(events, table, SETTINGS):
        for number, more_active, more_inactive in one.counts:
            active[number] += more_active
            inactive[number] += more_inactive
        if one.change is not None:
            seen.append([(active[n], inactive[n]) for n in (1, 2, 3)])
    # Four came and one has ended; they are of number 1, then of 2, then of 3.
    assert seen == [
        [(3, 1), (0, 0), (0, 0)],
        [(0, 0), (3, 1), (0, 0)],
        [(0, 0), (3, 1), (0, 0)],
        [(0, 0), (3, 2), (0, 0)],
        [(0, 0), (0, 0), (3, 2)],
    ]


@pytest.mark.parametrize("early_ms", [0, 4])
def test_a_server_that_was_chosen_had_joined(early_ms: int) -> None:
    """The record knows between which times: a busy machine told of it late."""
    events = [event(3, EventKind.SYN, 3_000), event(9, EventKind.SYN, 3_001)]
    table = ServerTable(((OTHER, 1),), (TableChange(early_ms * MS, 8 * MS, AGAIN, 1),))
    change, first, second = sorted(
        counted_events(events, table, SETTINGS), key=lambda one: one.change is None
    )
    assert second.chosen == 1
    if early_ms:  # too early for it: nobody knows where that went
        assert (first.chosen, first.counts, change.t_ns) == (-1, [], 8 * MS)
        return
    assert (change.t_ns, change.early_ns, change.late_ns) == (3 * MS, 0, 3 * MS)
    assert change.place < first.place
    assert (first.chosen, first.counts) == (1, [(1, 1, 0)])


def test_the_model_says_the_same_whether_numbers_are_given_before_or_not() -> None:
    joining, given = DirectorModel(SETTINGS), DirectorModel(SETTINGS)
    for model in (joining, given):
        model.join(AGAIN, 1)
        model.opened(Client("192.0.2.101", 3_000), 0, 0)
    given.join("198.51.100.13:80", 1)  # in the place of an address that is known beforehand
    given.servers.addresses[1] = AGAIN
    given.servers.leave(1)
    for model in (joining, given):
        model.leave(0, 0)
    assert joining.join(AGAIN, 2) == 1
    assert given.enter(1, 2)
    assert not given.enter(1, 5)
    for model in (joining, given):
        model.closing(Client("192.0.2.101", 3_000), Side.SERVER, MS)
        assert model.servers.active.tolist() == [0, 0]
        assert model.servers.inactive.tolist() == [1, 0]  # the newest first
