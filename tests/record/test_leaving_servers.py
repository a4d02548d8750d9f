"""Notes about servers that leave: what went to them all the same, what a removal lost."""

import pytest

from ipvsload.record.events import DirectorSettings
from tests.record.test_explanations import FOUR_CLIENTS, ONE, THREE, TWO, USUAL, Seen


def _sysctls(**values: int) -> DirectorSettings:
    return DirectorSettings(1, 0, "director", USUAL, values)


FOLLOWS = _sysctls(conn_reuse_mode=0, expire_nodest_conn=0)


def _notes(seen: Seen, words: str) -> list[str]:
    return [note for note in seen.notes() if words in note]


def test_a_server_of_weight_0_that_goes_on_getting_connections_of_its_ports() -> None:
    seen = Seen("rr", servers=[ONE, TWO], ports=16, weights=(0, 1, 1), events=[FOLLOWS])
    (note,) = _notes(seen, "had weight 0")
    assert note.startswith("server 1 had weight 0 from 0.5 s on and got 24 more connections: they")
    assert "whatever weight it has, with expire_nodest_conn 0" in note
    for mode, nodest in ((1, 0), (0, 1)):
        told = _sysctls(conn_reuse_mode=mode, expire_nodest_conn=nodest)
        seen = Seen("rr", servers=[ONE, TWO], ports=16, weights=(0, 1, 1), events=[told])
        assert not _notes(seen, "had weight 0")


def test_a_server_that_joins_and_gets_nothing_because_ports_are_remembered() -> None:
    late = (0, 0, 300_000)
    seen = Seen("rr", servers=[ONE, TWO], ports=16, joins_us=late, events=[FOLLOWS])
    (note,) = _notes(seen, "joined")
    assert note.startswith("server 3 joined at 0.3 s and got none of the 69 connections that came")
    for servers, mode in (([ONE, TWO, THREE], 0), ([ONE, TWO], 1)):
        told = _sysctls(conn_reuse_mode=mode, expire_nodest_conn=0)
        seen = Seen("rr", servers=servers, ports=16, joins_us=late, events=[told])
        assert not _notes(seen, "joined")


def test_of_a_persistent_service_ports_are_followed_with_any_conn_reuse_mode() -> None:
    told = _sysctls(conn_reuse_mode=1, expire_nodest_conn=0, expire_quiescent_template=1)
    seen = Seen(
        "rr", servers=[ONE, TWO], ports=16, weights=(0, 1, 1), events=[told], persistent_timeout=60
    )
    (note,) = _notes(seen, "had weight 0")
    assert "they came from ports that it had connections of before" in note
    (note,) = _notes(seen, "less than 120 s ago")
    assert "where the service is persistent they followed it to its server" in note


@pytest.mark.parametrize("expires", [0, 1])
def test_templates_that_lead_to_a_server_of_weight_0(expires: int) -> None:
    seen = Seen(
        "rr", servers=[ONE, TWO], clients=FOUR_CLIENTS, persistent_timeout=60,
        persistent=(2, 2, 0), weights=(0, 1, 1),
        events=[_sysctls(expire_quiescent_template=expires)],
    )  # fmt: skip
    notes = _notes(seen, "had weight 0")
    assert len(notes) == 1 - expires
    assert all("with expire_quiescent_template 0 (ip_vs_conn.c" in note for note in notes)


@pytest.mark.parametrize(("idle_us", "removed"), [(800_000, True), (1_000, False)])
def test_requests_that_nobody_took_because_their_server_was_removed(
    idle_us: int, removed: bool
) -> None:
    seen = Seen(
        "rr", untaken=("silence", idle_us, 0), events=[_sysctls(conn_reuse_mode=1)], gone=(THREE,)
    )
    (note,) = _notes(seen, "did not take them")
    assert ("a server was taken out of the table while they were idle" in note) is removed
    assert ("none had been idle for IPVS's tcp timeout of 900 s" in note) is not removed
