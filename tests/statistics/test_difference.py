"""What is said of the difference of two columns, and what makes it doubtful."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.statistics.difference import Difference, paired_difference, unpaired_difference

Blocks = dict[int, float]


def drawn(seed: int, n: int = 10, shift: float = 0.0, deviation: float = 1.0) -> Blocks:
    draw = random.Random(seed)
    return {block: 10 + shift + draw.gauss(0, deviation) for block in range(1, n + 1)}


def shifted(blocks: Blocks, by: float, deviation: float = 0.1, seed: int = 1) -> Blocks:
    draw = random.Random(seed)
    return {block: value + by + draw.gauss(0, deviation) for block, value in blocks.items()}


def test_pairs_say_what_their_blocks_have_in_common_does_not_hide() -> None:
    a = drawn(1, deviation=5)
    b = shifted(a, -0.5)
    paired = paired_difference(a, b)
    assert paired.estimate == pytest.approx(-0.5, abs=0.1)
    assert paired.ci95 is not None
    assert paired.ci95[0] < -0.5 < paired.ci95[1] < 0
    assert paired.p == paired.least_p == 2 / 1024
    assert unpaired_difference([*a.values()], [*b.values()]).p > 0.5
    assert paired.method == "Hodges-Lehmann and signed-rank test of pairs, exact"


def test_blocks_that_one_has_alone_do_not_count_and_are_told() -> None:
    a, b = drawn(1), drawn(2)
    del a[3], b[7]
    found = paired_difference(a, b)
    assert found.n == (8, 8)
    assert found.warnings[-1] == "left out, since the other run of the block is missing: 2"
    with pytest.raises(ValueError, match="no block has both"):
        paired_difference({1: 1.0}, {2: 1.0})


def test_differences_that_are_the_same_but_for_a_float_are_ties() -> None:
    a = {block: 3.2 + block for block in range(8)}
    b = {block: 2.1 + block for block in range(8)}
    assert len({b[block] - a[block] for block in a}) > 1
    found = paired_difference(a, b)
    assert found.estimate == -1.1
    assert "ties: 7 of 8 differences are 0 or of one size" in found.warnings
    zero = dict.fromkeys(range(8), 0.0)
    assert paired_difference(zero, zero).alike


def test_what_is_exactly_alike_says_so_and_is_no_test() -> None:
    a = drawn(1)
    found = paired_difference(a, a)
    assert (found.alike, found.p, found.least_p, found.estimate) == (True, 1, 1, 0)
    assert found.p_equivalent == 1 / 1024
    assert not found.warnings
    assert found.needed(1.0, 0.05) is None


@pytest.mark.parametrize(("n", "ci"), [(2, False), (5, False), (6, True)])
def test_too_few_have_no_interval_and_say_so(n: int, ci: bool) -> None:
    found = paired_difference(drawn(1, n), drawn(2, n))
    assert (found.ci95 is not None) == ci
    told = f"too few: an interval of 95 % takes 6 differences, and there are {n}"
    assert (told in found.warnings) == (not ci)
    assert (found.needed(1.0, 0.05) is None) == (n < 3)


def test_a_drift_and_a_block_far_off_are_told() -> None:
    a = drawn(1, 12)
    b = {block: value + block + 0.01 * (-1) ** block for block, value in a.items()}
    (drift,) = paired_difference(a, b).warnings
    assert drift.startswith("the differences rise from the first block to the last (p ")
    b = shifted(a, 0)
    b[4] += 20
    assert paired_difference(a, b).warnings == ("far off the other differences: block 4",)


def test_ordinary_blocks_are_seldom_doubtful() -> None:
    told = [paired_difference(drawn(n), drawn(-n)).warnings for n in range(1, 301)]
    assert sum(map(bool, told)) <= 9


@given(
    st.lists(st.integers(-99, 99).map(float), min_size=1, max_size=15),
    st.integers(1, 50).map(float),
)
def test_of_b_against_a_it_is_the_other_way_round(values: list[float], margin: float) -> None:
    a = dict.fromkeys(range(len(values)), 5.0)
    b = dict(enumerate(values))
    for one, other in (
        (paired_difference(a, b, margin), paired_difference(b, a, margin)),
        (
            unpaired_difference([*a.values()], values, margin),
            unpaired_difference(values, [*a.values()], margin),
        ),
    ):
        assert one.p == other.p
        assert one.estimate == -other.estimate
        assert one.p_equivalent == other.p_equivalent
        assert (one.ci95 is None) == (other.ci95 is None)
        if one.ci95 and other.ci95:
            assert one.ci95 == (-other.ci95[1], -other.ci95[0])


def test_equivalence_takes_a_margin_and_enough_blocks() -> None:
    def within(n: int) -> Difference:
        a = drawn(1, n)
        return paired_difference(a, shifted(a, 0), 0.5)

    assert paired_difference(drawn(1), drawn(2)).p_equivalent is None
    assert within(4).p_equivalent == 1 / 16
    assert within(10).p_equivalent == 1 / 1024


def test_how_many_more_depends_on_how_much_they_vary() -> None:
    a = drawn(1)
    little, much = (paired_difference(a, shifted(a, 0, d)).needed(0.5, 0.05) for d in (0.1, 2))
    assert little == 6
    assert much is not None
    assert much > 50
    both = unpaired_difference([*a.values()], [*shifted(a, 0, 2).values()])
    assert (both.needed(0.5, 0.05) or 0) > much
    assert both.needed(0, 0.05) is None
