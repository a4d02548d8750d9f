"""A scheduler against itself: which comparisons are counted, and what their share says."""

import random
import statistics
from collections.abc import Callable

from ipvsload.results.false_alarms import SelfCheckResult, self_check_result
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.scenario.self_check import SelfCheck

CHECK = SelfCheck("lc", "lc-again", comparisons=20, blocks=10)
DRAW = random.Random(3)
NOISE = [DRAW.gauss(20, 1) for _ in range(2 * CHECK.repeats)]


def column(label: str, value: Callable[[int], float | None], measure: str = "m") -> MeasuredColumn:
    found = ((block, value(block)) for block in range(1, CHECK.repeats + 1))
    blocks = tuple((block, one) for block, one in found if one is not None)
    middle = statistics.median(one for _, one in blocks)
    return MeasuredColumn(label, measure, "ms", "less", blocks, middle, None)


def checked(
    first: Callable[[int], float | None], second: Callable[[int], float | None]
) -> SelfCheckResult:
    return self_check_result(CHECK, (column("lc", first), column("lc-again", second)), 0.05)


def noise(block: int) -> float:
    return NOISE[block - 1]


def other_noise(block: int) -> float:
    return NOISE[CHECK.repeats + block - 1]


def test_columns_that_are_alike_raise_few_alarms() -> None:
    result = checked(noise, other_noise)
    (one,) = result.measures
    assert (result.comparisons, result.left_out, one.tested) == (20, 0, 20)
    assert result.alarms == one.alarms == one.uncorrected <= 3
    assert not result.too_many


def test_each_comparison_has_blocks_of_its_own() -> None:
    # Only in the blocks of the third and of the last comparison is the second column slower.
    late = (*range(21, 31), *range(191, 201))
    result = checked(lambda b: 20 + b % 3, lambda b: 20 + b % 3 + (5 + b / 50) * (b in late))
    (one,) = result.measures
    assert (result.alarms, one.alarms, one.tested, one.equivalent) == (2, 2, 2, 18)
    assert result.share_ci95 is not None
    assert round(result.share_ci95[0], 4) == 0.0123  # Clopper and Pearson, 2 of 20
    assert not result.too_many


def test_a_share_that_is_certainly_too_great() -> None:
    result = checked(noise, lambda block: noise(block) + 3)
    assert (result.alarms, result.too_many) == (20, True)


def test_blocks_without_a_run_that_counts_are_left_out() -> None:
    result = checked(noise, lambda block: None if block <= 12 else other_noise(block))
    assert (result.comparisons, result.left_out) == (19, 12)


def test_one_alarm_by_two_measures_is_one() -> None:
    columns = [
        column(label, lambda block, more=more: noise(block) + more, name)  # type: ignore[misc]
        for name in ("m", "n")
        for label, more in (("lc", 0), ("lc-again", 3))
    ]
    result = self_check_result(CHECK, columns, 0.05)
    assert result.alarms == 20
    assert [one.alarms for one in result.measures] == [20, 20]


def test_nothing_that_can_be_compared_is_no_share() -> None:
    result = checked(
        lambda block: noise(block) if block % 2 else None,
        lambda block: None if block % 2 else noise(block),
    )
    assert (result.comparisons, result.share_ci95, result.left_out) == (0, None, 200)
