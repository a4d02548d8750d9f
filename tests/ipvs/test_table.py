"""Sums over directors and services, and counters that may fall."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.table import RealServer, by_address, growth, total

counts = st.integers(0, 2**40)
servers = st.builds(RealServer, st.sampled_from("abc"), *[counts] * 9)


@given(servers, servers)
def test_two_entries_of_a_server_are_one_with_the_counts_of_both(
    one: RealServer, other: RealServer
) -> None:
    both = total(one, other)
    assert both[:2] == one[:2]
    assert both.active == one.active + other.active
    assert both.outbytes == one.outbytes + other.outbytes
    assert total(other, one)[2:] == both[2:]


@given(st.lists(servers))
def test_nothing_is_lost_and_no_address_stands_twice(entries: list[RealServer]) -> None:
    found = by_address(entries)
    assert list(found) == list(dict.fromkeys(entry.address for entry in entries))
    assert {address: server.address for address, server in found.items()} == {a: a for a in found}
    conns: Counter[str] = Counter()
    for entry in entries:
        conns[entry.address] += entry.conns
    assert {address: server.conns for address, server in found.items()} == dict(conns)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1000)), max_size=30))
def test_a_counter_is_followed_through_new_entries(steps: list[tuple[bool, int]]) -> None:
    """An entry that is made anew is noticed when its counter is lower than before."""
    counter = seen = counted = really = 0
    for anew, more in steps:
        if anew and more < counter:
            counter = 0
            really += more
            counter = more
        else:
            really += more
            counter += more
        counted += growth(seen, counter)
        seen = counter
    assert counted == really
