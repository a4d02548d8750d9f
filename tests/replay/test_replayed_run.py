from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.record.witness import Packet, PacketKind, Witness
from ipvsload.replay.carried_connections import CarriedConnection
from ipvsload.replay.director_events import EventKind, requested
from ipvsload.replay.replayed_run import decisions, replay
from ipvsload.replay.told_settings import NotReplayableError
from tests.replay.simulated_director import Arrival, SimulatedDirector

CERTAIN = sorted(name for name, rule in RULES.items() if not rule.by_chance)
BY_COUNTS = ["lc", "nq", "sed", "wlc"]
APART_US = 100
FAR_APART = APART_US * 1000 + 2

arrivals = st.lists(
    st.builds(Arrival, st.integers(1, 400_000), st.integers(1, 3_000_000)),
    min_size=1,
    max_size=60,
)
weights = st.lists(st.integers(0, 4), min_size=1, max_size=5)


@given(st.sampled_from(CERTAIN), weights, st.sampled_from([256, 257]), arrivals)
def test_what_the_model_itself_chose_is_matched(
    scheduler: str, weights: list[int], law: int, arrivals: list[Arrival]
) -> None:
    director = SimulatedDirector(scheduler, weights, law)
    director.play(arrivals)
    found = replay(director.run(), None, director.witness)
    measured = Counter(one.server for one in director.packets if one.kind == PacketKind.CHOSEN)
    assert found.connections == found.matched == measured.total()
    assert +Counter(found.predicted) == measured


@given(st.sampled_from(CERTAIN), weights, arrivals, st.randoms(use_true_random=False))
def test_packets_of_two_cables_that_changed_places_are_consistent(
    scheduler: str, weights: list[int], arrivals: list[Arrival], chance: Random
) -> None:
    director = SimulatedDirector(scheduler, weights, packet_order_us=APART_US)
    director.play(arrivals)
    packets = sorted(director.packets)
    place = 0
    while place + 1 < len(packets):
        one, other = packets[place : place + 2]
        apart = other.t_ns - one.t_ns
        near = one.kind != other.kind and one.port != other.port and apart < APART_US * 500
        if near and chance.random() < 0.5:
            packets[place : place + 2] = [
                other._replace(t_ns=one.t_ns),
                one._replace(t_ns=other.t_ns),
            ]
            place += 1
        place += 1
    found = replay(director.run(), None, Witness(packets))
    assert found.unexplained == 0
    assert found.matched + found.consistent == found.connections
    assert found.connections == sum(one.kind == PacketKind.CHOSEN for one in packets)


@given(st.sampled_from(BY_COUNTS), st.lists(st.integers(1, 4), min_size=2, max_size=5), st.data())
def test_a_choice_that_the_rule_does_not_make_is_mismatched_where_the_order_is_known(
    scheduler: str, weights: list[int], data: st.DataObject
) -> None:
    gaps = st.builds(Arrival, st.just(FAR_APART), st.integers(1, 40).map(FAR_APART.__mul__))
    arrivals = data.draw(st.lists(gaps, min_size=1, max_size=30))
    # Half a gap off, so that no end is near a beginning.
    arrivals = [Arrival(2 * one.gap_ns, 2 * one.held_ns + FAR_APART) for one in arrivals]
    wrong = data.draw(st.integers(0, len(arrivals) - 1))
    apart_us = data.draw(st.sampled_from([0, APART_US]))
    director = SimulatedDirector(
        scheduler, weights, packet_order_us=apart_us, faulty=frozenset([wrong])
    )
    director.play(arrivals)
    found = replay(director.run(), None, director.witness)
    assert (found.matched, found.consistent, found.unexplained) == (len(arrivals) - 1, 0, 1)
    assert found.exact == (not apart_us)
    [told] = found.first
    assert (told.index, told.chosen == told.predicted) == (wrong, False)
    assert told.verdict == ("mismatched" if found.exact else "unexplained")
    assert sum(server.active for server in told.servers) <= wrong


def test_each_decision_has_the_state_of_every_server() -> None:
    director = SimulatedDirector("lc", [1, 1])
    director.play([Arrival(1_000_000, 5_500_000)] * 4)
    told = list(decisions(director.run(director.requests()), None, director.witness))
    assert [one.index for one in told] == [0, 1, 2, 3]
    assert [one.traffic for one in told] == ["short"] * 4
    assert [[(s.active, s.inactive, s.score) for s in one.servers] for one in told] == [
        [(0, 0, 0), (0, 0, 0)], [(0, 0, 0), (1, 0, 256)],
        [(1, 0, 256), (1, 0, 256)], [(1, 0, 256), (2, 0, 512)],
    ]  # fmt: skip
    # Of equals the newest, which joined last.
    assert [one.chosen for one in told] == [one.predicted for one in told]
    assert told[0].chosen == "198.51.100.12:80"


def test_a_syn_that_is_sent_again_is_no_second_decision() -> None:
    director = SimulatedDirector("rr", [1, 1, 1])
    director.play([Arrival(1_000_000, 5_500_000)] * 3)
    first = director.packets[0]
    director.packets.append(first._replace(t_ns=first.t_ns + 1_100_000))
    found = replay(director.run(), None, director.witness)
    assert (found.connections, found.matched) == (3, 3)


def test_a_syn_that_went_nowhere_is_a_decision_where_there_is_no_server_to_choose() -> None:
    asked = [Packet(t, PacketKind.ASKED, "192.0.2.101", 2000 + t, "") for t in (1, 2)]
    full, free = SimulatedDirector("rr", [0]), SimulatedDirector("rr", [1])
    found = replay(full.run(), None, Witness(asked))
    assert (found.connections, found.matched) == (2, 2)
    # Else nobody knows whether it reached the director at all.
    assert replay(free.run(), None, Witness(asked)).connections == 0


@pytest.mark.parametrize("scheduler", ["random", "twos"])
def test_choices_by_chance_cannot_be_replayed(scheduler: str) -> None:
    director = SimulatedDirector(scheduler, [1])
    with pytest.raises(NotReplayableError, match="by chance"):
        replay(director.run(), None, Witness([]))


def test_the_law_is_the_one_that_explains_more() -> None:
    for law in (256, 257):
        director = SimulatedDirector("lc", [1, 1], law)
        director.play([Arrival(1_000_000, 10**12), *[Arrival(2_000_000, 500_000)] * 600])
        run = director.run()
        run.kernel = {}
        assert replay(run, None, director.witness).lc_law == law
    director = SimulatedDirector("sed", [1, 1])
    director.play([Arrival(1_000_000, 500_000)] * 5)
    run = director.run()
    run.kernel = {}
    assert replay(run, None, director.witness).lc_law is None


@given(st.sampled_from(CERTAIN), weights, arrivals, st.floats(0, 1))
def test_without_packets_times_that_are_late_explain_every_choice(
    scheduler: str, weights: list[int], arrivals: list[Arrival], part: float
) -> None:
    director = SimulatedDirector(scheduler, weights, least_apart_ns=1000)
    director.play(arrivals)
    requests = director.requests()
    late_us = round(part * min((one.latency_us for one in requests), default=0))
    seen = [one._replace(latency_us=one.latency_us + late_us) for one in requests]
    found = replay(director.run(seen), None, None)
    assert (found.connections, found.unexplained) == (len(requests), 0)
    if not late_us:
        assert found.matched == len(requests)


def test_packets_of_one_card_that_left_in_bunches_are_taken_in_the_order_in_which_they_came() -> (
    None
):
    director = SimulatedDirector("rr", [1, 1, 1])
    director.play([Arrival(100_000, 5_500_000)] * 6)
    asked = [
        Packet(one.t_ns - 50_000, PacketKind.ASKED, one.client, one.port, "")
        for one in director.packets
        if one.kind == PacketKind.CHOSEN
    ]
    late = [
        one._replace(t_ns=one.t_ns + 900_000) if one.port in (1025, 1026) else one
        for one in director.packets
    ]
    found = replay(director.run(), None, Witness(sorted([*asked, *late])))
    assert (found.connections, found.matched) == (6, 6)


def test_a_client_that_is_refused_sends_nothing_more() -> None:
    director = SimulatedDirector("rr", [1])
    director.play([Arrival(1_000_000, 5_500_000)])
    [request] = director.requests()
    for error, ends in (("refused", [EventKind.RST]), (None, [EventKind.FIN] * 2)):
        told = requested([CarriedConnection(request, request._replace(error=error))], 0)
        assert [one.kind for one in told] == [EventKind.SYN, *ends]
        assert told[1].side == Side.SERVER
