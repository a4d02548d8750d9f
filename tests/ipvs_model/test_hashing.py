"""Tables of the hashing schedulers, and the hashes below them."""

from collections import Counter
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.ipvs_model.address_hashes import Key, folded, hash_32, hsiphash
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings, SchedulerRule
from ipvsload.ipvs_model.schedulers.dh import DestinationHashing
from ipvsload.ipvs_model.schedulers.mh import SLOTS, MaglevHashing
from ipvsload.ipvs_model.schedulers.sh import BUCKETS, SourceHashing
from ipvsload.ipvs_model.server_list import ServerList

VIP = "192.0.2.80"
Rule = TypeVar("Rule", bound=SchedulerRule)
some_weights = st.lists(st.integers(0, 40), min_size=1, max_size=12)
ports = st.integers(1, 65_535)
few = settings(max_examples=30)


def filled(kind: type[Rule], weights: list[int], flags: str = "") -> Rule:
    rule = kind(ServerList(), RuleSettings(VIP, frozenset(flags.split())))
    for number, weight in enumerate(weights):
        rule.servers.join(f"198.51.{number // 250}.{number % 250}:80", weight)
        rule.changed()
    return rule


@pytest.mark.parametrize(
    ("value", "key", "expected"),
    [
        (0, (0, 0), 2596571888),
        (1, (2654435761, 2654435761), 384591538),
        (0xC0000265, (2654446892, 2654446892), 3728023598),
        (2**32 - 1, (2**64 - 1, 7), 3927640062),
    ],
)
def test_hsiphash_is_the_lower_half_of_siphash_1_3(value: int, key: Key, expected: int) -> None:
    """Of the value's four bytes; what is expected is from another implementation of it."""
    assert hsiphash(value, key) == expected


def test_addresses_are_folded_into_32_bits() -> None:
    assert folded("192.0.2.1") == 0xC0000201
    assert folded("2001:db8:1::2") == 0x20010DB8 ^ 0x00010000 ^ 2
    assert hash_32(1, 8) == 0x61


@few
@given(some_weights)
def test_of_mhs_table_each_server_has_its_share_to_a_turn(weights: list[int]) -> None:
    rule = filled(MaglevHashing, weights)
    slots = Counter(rule.table())
    if not any(weights):
        assert slots == {}
        return
    assert slots.total() == SLOTS
    # All weights here are small enough to be turns, once their common divisor is out.
    mean = SLOTS / sum(weights)
    greatest = max(weights)
    for number, weight in enumerate(weights):
        assert abs(slots[number] - mean * weight) <= greatest


@few
@given(st.integers(2, 40), st.data())
def test_when_a_server_leaves_few_of_the_others_clients_move(
    servers: int, data: st.DataObject
) -> None:
    rule = filled(MaglevHashing, [1] * servers)
    before = rule.table()
    gone = data.draw(st.integers(0, servers - 1))
    rule.servers.leave(gone)
    rule.changed()
    after = rule.table()
    assert gone not in after
    moved = sum(old not in (gone, new) for old, new in zip(before, after, strict=True))
    assert moved < 0.2 * SLOTS


@few
@given(some_weights, st.data(), st.sampled_from([MaglevHashing, SourceHashing]), ports)
def test_weight_0_refuses_its_clients_unless_they_fall_back(
    weights: list[int], data: st.DataObject, kind: type[MaglevHashing | SourceHashing], port: int
) -> None:
    emptied = data.draw(st.integers(0, len(weights) - 1))
    client = Client("192.0.2.101", port)
    refusing = filled(kind, weights, f"{kind.name}-port")
    falling = filled(kind, weights, f"{kind.name}-port {kind.name}-fallback")
    chosen = refusing.choose(client)
    assert chosen is None or chosen == falling.choose(client)
    for rule in (refusing, falling):
        rule.servers.set_weight(emptied, 0)
        rule.changed()
    if kind is MaglevHashing:
        assert refusing.choose(client) == (None if chosen == emptied else chosen)
    left = {number for number, weight in enumerate(weights) if weight} - {emptied}
    for rule in (refusing, falling):
        assert (found := rule.choose(client)) is None or found in left


@given(some_weights)
def test_shs_buckets_are_turns_of_the_newest_first(weights: list[int]) -> None:
    rule = filled(SourceHashing, weights)
    turn = [number for number in reversed(range(len(weights))) for _ in range(weights[number] or 1)]
    assert rule.table() == tuple((turn * BUCKETS)[:BUCKETS])


@pytest.mark.parametrize("kind", [MaglevHashing, SourceHashing])
def test_the_port_matters_only_where_it_is_asked_for(kind: type[SchedulerRule]) -> None:
    clients = [Client("192.0.2.101", port) for port in range(2_048, 2_148)]
    plain, by_port = filled(kind, [1] * 8), filled(kind, [1] * 8, f"{kind.name}-port")
    assert len({plain.choose(one) for one in clients}) == 1
    assert len({by_port.choose(one) for one in clients}) > 1


def test_dh_gives_all_to_one_server_and_nothing_where_that_has_weight_0() -> None:
    rule = filled(DestinationHashing, [1, 5, 1])
    chosen = {rule.choose(Client("192.0.2.101", port)) for port in range(100)}
    (number,) = chosen
    assert number is not None
    rule.servers.set_weight(number, 0)
    rule.changed()
    assert rule.choose(Client("192.0.2.101", 1)) is None


@pytest.mark.parametrize("kind", [DestinationHashing, MaglevHashing, SourceHashing])
def test_without_servers_nobody_is_chosen(kind: type[SchedulerRule]) -> None:
    assert filled(kind, []).choose(Client("192.0.2.101", 1)) is None


def test_more_servers_than_slots_leave_the_newest_without_any() -> None:
    slots = Counter(filled(MaglevHashing, [1] * (SLOTS + 5)).table())
    assert slots == dict.fromkeys(range(SLOTS), 1)


def test_weights_too_great_for_turns_are_cut_in_proportion() -> None:
    slots = Counter(filled(MaglevHashing, [3, 30_000, 60_000]).table())
    assert slots[0] == SLOTS // (1 + 19 + 39)
    assert slots[2] / slots[1] == pytest.approx(2, rel=0.1)
