"""twos and random: each draw once, so that shares are exact; and with seeded draws."""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings, SchedulerRule
from ipvsload.ipvs_model.server_list import ServerList
from ipvsload.statistics.chi_square import chi_square_above

CLIENT = Client("192.0.2.101", 2048)


def service(scheduler: str, draws: Iterator[float], *weights: int) -> SchedulerRule:
    servers = ServerList()
    for weight in weights:
        servers.join(f"198.51.100.{len(servers)}:80", weight)
    return RULES[scheduler](servers, RuleSettings("192.0.2.80", draw=lambda: next(draws)))


def each(possible: int, times: int = 1) -> Iterator[float]:
    """Every combination of so many draws, each from as many possible ones."""
    middles = [(k + 0.5) / possible for k in range(possible)]
    return (draw for draws in product(middles, repeat=times) for draw in draws)


def test_random_takes_each_server_with_a_weight_as_often() -> None:
    rule = service("random", each(3), 1, 0, 7, 2)
    assert Counter(rule.choose(CLIENT) for _ in range(3)) == {0: 1, 2: 1, 3: 1}


def test_of_equals_twos_takes_the_first_draw_in_proportion_to_the_weights() -> None:
    """A sum of 4 makes 5 draws, and the first in the list has the one that is over."""
    rule = service("twos", each(5, 2), 3, 0, 1)
    assert Counter(rule.choose(CLIENT) for _ in range(25)) == {0: 15, 2: 10}


def test_twos_takes_the_less_loaded_for_its_weight() -> None:
    rule = service("twos", each(5, 2), 3, 1)
    rule.servers.active[rule.servers.place(0)] = 2
    rule.servers.active[rule.servers.place(1)] = 1
    rule.changed()
    assert Counter(rule.choose(CLIENT) for _ in range(25)) == {0: 21, 1: 4}


@pytest.mark.parametrize("scheduler", ["twos", "random"])
def test_without_a_weight_nobody_is_drawn_and_without_a_draw_it_says_so(scheduler: str) -> None:
    assert service(scheduler, iter(()), 0, 0).choose(CLIENT) is None
    assert service(scheduler, iter(())).choose(CLIENT) is None
    servers = ServerList()
    servers.join("198.51.100.11:80", 1)
    with pytest.raises(ValueError, match="needs a draw"):
        RULES[scheduler](servers, RuleSettings("192.0.2.80")).choose(CLIENT)


def improbable(found: Counter[int | None], expected: list[float]) -> bool:
    """Whether chance alone brings such a split once in a million times or less."""
    drawn = found.total()
    assert set(found) <= set(range(len(expected)))
    statistic = sum(
        (found[number] - drawn * part) ** 2 / (drawn * part)
        for number, part in enumerate(expected)
        if part
    )
    return chi_square_above(statistic, sum(map(bool, expected)) - 1) < 1e-6


@pytest.mark.parametrize("scheduler", ["twos", "random"])
def test_seeded_draws_follow_the_weights(scheduler: str) -> None:
    """20,000 draws of equals: a chi-square test tells them from draws by a wrong weight."""
    weights = [4, 1, 0, 8, 2]
    rule = service(scheduler, iter(Random(5).random, None), *weights)
    found = Counter(rule.choose(CLIENT) for _ in range(20_000))
    if scheduler == "random":
        expected = [0.25 if weight else 0.0 for weight in weights]
    else:
        # All are idle, so the first draw counts; the newest has the draw that is over.
        expected = [weight / 16 for weight in weights]
        expected[4] += 1 / 16
    assert not improbable(found, expected)
    assert improbable(found, [weight / 15 for weight in weights])
