"""lc, wlc, sed and nq: what is kept in order chooses as the kernel's integers do."""

import random
from collections.abc import Callable
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings
from ipvsload.ipvs_model.server_list import ServerList

CLIENT = Client("192.0.2.101", 2048)

# What a server's score is, of the law, active, inactive and weight.
EXACT: dict[str, Callable[[int, int, int, int], Fraction]] = {
    "lc": lambda law, active, inactive, weight: Fraction(active * law + inactive),
    "wlc": lambda law, active, inactive, weight: Fraction(active * law + inactive, weight),
    "sed": lambda law, active, inactive, weight: Fraction(active + 1, weight),
    "nq": lambda law, active, inactive, weight: Fraction(active + 1 if active else 0, weight),
}

counts = st.one_of(st.integers(0, 3), st.integers(0, 8_000_000))
weights = st.one_of(st.integers(0, 3), st.integers(0, 65_535))
changes = st.lists(
    st.one_of(
        st.tuples(st.just("join"), weights, st.none(), st.none()),
        st.tuples(st.just("leave"), st.integers(0, 20), st.none(), st.none()),
        st.tuples(st.just("reweigh"), st.integers(0, 20), weights, st.none()),
        st.tuples(st.just("count"), st.integers(0, 20), counts, counts),
    ),
    max_size=40,
)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("law", [256, 257])
@settings(max_examples=40)
@given(history=changes)
def test_the_newest_of_those_with_the_least_exact_score_is_chosen(
    name: str, law: int, history: list[tuple[str, int, int, int]]
) -> None:
    servers = ServerList()
    rule = RULES[name](servers, RuleSettings("192.0.2.80", lc_law=law))
    for what, first, second, third in history:
        if what == "join":
            servers.join(f"198.51.100.{len(servers)}:80", first)
            rule.changed()
        elif first < len(servers):
            place = servers.place(first)
            if what == "leave":
                servers.leave(first)
                rule.changed()
            elif what == "reweigh" and servers.present[place]:
                servers.weights[place] = second
                rule.changed()
            elif what == "count":
                servers.active[place], servers.inactive[place] = second, third
                rule.counted(first)
        exact = {
            number: EXACT[name](
                law,
                int(servers.active[servers.place(number)]),
                int(servers.inactive[servers.place(number)]),
                int(servers.weights[servers.place(number)]),
            )
            for number in reversed(range(len(servers)))
            if servers.weights[servers.place(number)]
        }
        expected = min(exact, key=exact.__getitem__) if exact else None
        assert rule.choose(CLIENT) == expected
        for number in range(len(servers)):
            assert rule.score(number) == (float(exact[number]) if number in exact else inf)


def test_what_is_nearly_equal_is_told_apart_at_the_greatest_weight() -> None:
    """The least difference between two ratios of such numbers, either way round."""
    for order in (1, -1):
        servers = ServerList()
        rule = RULES["wlc"](servers, RuleSettings("192.0.2.80"))
        for inactive, weight in [(65_535 * 60_000 + 1, 65_535), (65_534 * 60_000 + 1, 65_534)][
            ::order
        ]:
            servers.join("198.51.100.11:80", weight)
            servers.inactive[0] = inactive
            rule.changed()
        assert rule.choose(CLIENT) == (0 if order == 1 else 1)


@pytest.mark.parametrize("name", ["lc", "wlc", "sed", "nq"])
def test_of_many_servers_the_first_least_is_found_without_looking_at_all(name: str) -> None:
    """Counts, weights and servers change as they would."""
    chance = random.Random(7)
    servers = ServerList()
    rule = RULES[name](servers, RuleSettings("192.0.2.80"))
    for number in range(1300):
        servers.join(f"server {number}", chance.choice([0, 1, 1, 2]))
    rule.changed()
    for step in range(200):
        newest_first = range(len(servers) - 1, -1, -1)
        expected = min(newest_first, key=lambda number: rule.score(number) or 0.0)
        assert rule.choose(CLIENT) == expected
        for number in (expected, chance.randrange(1300)):
            counts = chance.choice([servers.active, servers.inactive])
            counts[servers.place(number)] += 1
            rule.counted(number)
        if step % 50 == 49:
            servers.set_weight(chance.randrange(1300), chance.choice([0, 3]))
            servers.leave(chance.randrange(1300))
            servers.join(f"server {len(servers)}", 1)
            rule.changed()
