"""Holm's correction, Tarone's count, the median's interval, equivalence, and blocks needed."""

import random
from math import comb
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.statistics.blocks_needed import blocks_needed, least_blocks, runs_needed
from ipvsload.statistics.equivalence import equivalence_of_pairs, equivalence_of_samples
from ipvsload.statistics.holm import countable, holm
from ipvsload.statistics.median_interval import median_interval
from ipvsload.statistics.signed_rank import signed_rank

DOCS = Path(__file__).parents[2] / "docs" / "statistics.md"
chances = st.lists(st.floats(0, 1), max_size=30)


def test_holms_own_steps() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(chances, st.floats(0.001, 0.999))
def test_it_rejects_what_holms_steps_reject(ps: list[float], level: float) -> None:
    """Least first, each at the level divided by how many are left; at the first failure it ends."""
    rejected = set()
    for done, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        if ps[i] * (len(ps) - done) >= level:
            break
        rejected.add(i)
    assert {i for i, p in enumerate(holm(ps)) if p < level} == rejected


@given(chances)
def test_it_is_between_no_correction_and_bonferronis(ps: list[float]) -> None:
    for p, corrected in zip(ps, holm(ps), strict=True):
        assert p <= corrected <= min(1, p * len(ps))


def test_what_cannot_be_rejected_is_not_counted() -> None:
    ten, two, none = 2 / 2**10, 2 / 2**2, 1.0
    assert countable([ten] * 20 + [two] * 20 + [none] * 5) == [True] * 20 + [False] * 25
    assert countable([two, two, none]) == [True, True, False]  # none can: all that differ count
    assert countable([none]) == [False]
    assert countable([]) == []


@st.composite
def a_test(draw: st.DrawFn) -> tuple[float, float]:
    """Its p and the least that it could be, of so many blocks."""
    blocks = draw(st.integers(1, 14))
    return 2.0 ** (draw(st.integers(1, blocks)) - blocks), 2.0 ** (1 - blocks)


@given(st.lists(a_test(), max_size=40))
def test_nothing_is_lost_by_leaving_tests_out(tests: list[tuple[float, float]]) -> None:
    counted = countable([least for _, least in tests])
    ps = [p for p, _ in tests]
    some = iter(holm([p for p, counts in zip(ps, counted, strict=True) if counts]))
    for of_all, counts in zip(holm(ps), counted, strict=True):
        assert (next(some) <= of_all) if counts else of_all > 0.05


@pytest.mark.parametrize(
    ("n", "ends"), [(5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (10, (2, 9)), (20, (6, 15))]
)
def test_the_medians_interval_goes_by_the_tables(n: int, ends: tuple[int, int] | None) -> None:
    values = list(range(1, n + 1))
    random.Random(n).shuffle(values)
    assert median_interval(values) == ends


@given(st.integers(6, 400))
def test_the_medians_interval_covers_it_and_is_as_narrow_as_it_may_be(n: int) -> None:
    ends = median_interval(range(n))
    assert ends is not None
    outside = int(ends[0])
    beyond = sum(comb(n, k) for k in range(outside + 1))
    assert 2 * beyond <= 0.05 * 2**n < 2 * (beyond + comb(n, outside + 1))


def test_equivalence_is_two_tests_that_are_each_of_one_side() -> None:
    differences = [0.3, -0.2, 0.1, -0.4, 0.5, 0.05, -0.15, 0.25, 0.35, -0.45]
    assert equivalence_of_pairs(differences, 1) == pytest.approx(1 / 1024)
    assert equivalence_of_pairs(differences, 0.1) > 0.05
    both = [d + 0.2 for d in differences], [d - 0.2 for d in differences]
    ends = signed_rank(both[0]).greater, signed_rank(both[1]).less
    assert equivalence_of_pairs(differences, 0.2) == max(ends)


@given(st.lists(st.integers(-9, 9).map(float), min_size=1, max_size=12), *[st.floats(0.01, 30)] * 2)
def test_what_is_equivalent_within_a_margin_is_within_a_wider_one(
    differences: list[float], one: float, other: float
) -> None:
    narrow, wide = sorted((one, other))
    assert equivalence_of_pairs(differences, narrow) >= equivalence_of_pairs(differences, wide)
    still = [0.0] * len(differences)
    assert equivalence_of_samples(still, differences, narrow) >= equivalence_of_samples(
        still, differences, wide
    )


def test_how_many_blocks_the_exact_test_takes_at_least() -> None:
    assert least_blocks(0.05) == 6
    assert least_blocks(2 / 1024) == 10
    assert least_blocks(0.05 / 26) == 11
    assert blocks_needed(0.001, 1.0, 0.05) == 6
    assert runs_needed(0.001, 1.0, 0.05) == 4


@pytest.mark.parametrize(
    ("least", "most", "blocks"),
    [(1, 1, 6), (2, 3, 7), (4, 6, 8), (7, 12, 9), (13, 25, 10), (26, 51, 11), (52, 102, 12)],
)
def test_the_table_of_the_documentation(least: int, most: int, blocks: int) -> None:
    assert least_blocks(0.05 / least) == least_blocks(0.05 / most) == blocks
    row = f"| {least}{f' to {most}' if most > least else ''} | {blocks} |"
    assert row in DOCS.read_text()


def test_of_normal_differences_it_is_the_t_tests_number_and_a_twentieth_more() -> None:
    """Half a standard deviation to both sides at 0.05, power 0.8: 31.4 pairs by means."""
    assert blocks_needed(1.0, 0.5, 0.05) == 33
    assert blocks_needed(1.0, 0.5, 0.05 / 20) > 33
    assert runs_needed(1.0, 0.5, 0.05) == 66  # 62.8 a side by means


def test_so_many_blocks_do_show_it() -> None:
    """In 4 of 5 experiments: 150 to 250 of 250 drawn with a fixed seed would be 5 deviations."""
    draw = random.Random(5)
    n = blocks_needed(1.0, 0.8, 0.05)
    shown = sum(signed_rank([draw.gauss(0.8, 1) for _ in range(n)]).p < 0.05 for _ in range(250))
    assert 170 <= shown <= 230
