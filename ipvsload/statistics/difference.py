"""What can be said of the difference between two columns: estimate, interval, test, warnings."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvsload.statistics import hodges_lehmann
from ipvsload.statistics.block_warnings import block_warnings
from ipvsload.statistics.blocks_needed import blocks_needed, runs_needed
from ipvsload.statistics.equivalence import equivalence_of_pairs, equivalence_of_samples
from ipvsload.statistics.mann_whitney import mann_whitney
from ipvsload.statistics.signed_rank import signed_rank

DIGITS = 12
"""Two differences that are the same to so many digits are the same: 3.2 - 2.1 is not 1.1."""

LEAST_KNOWN = 3
"""Of two differences nobody knows how much they vary."""


@dataclass(frozen=True, slots=True)
class Difference:
    """b - a, in their unit: `n` pairs, or values of each.

    `p` is to both sides, and `least_p` the least that it could have been; `alike` says that
    nothing differs at all. `p_equivalent` is None without a margin. `deviation` is the standard
    deviation of the differences, or of the values within the samples; None of fewer than two.
    """

    n: tuple[int, int]
    estimate: float
    ci95: tuple[float, float] | None
    p: float
    least_p: float
    alike: bool
    p_equivalent: float | None
    deviation: float | None
    method: str
    paired: bool
    warnings: tuple[str, ...]

    def needed(self, difference: float, level: float) -> int | None:
        """How many blocks would show such a difference; None where that cannot be said."""
        if not self.deviation or difference <= 0 or min(self.n) < LEAST_KNOWN:
            return None
        of = blocks_needed if self.paired else runs_needed
        return of(self.deviation, difference, level)


def paired_difference(
    a: Mapping[int, float], b: Mapping[int, float], margin: float | None = None
) -> Difference:
    """Of values by their block; blocks that only one of them has do not count.

    Raises ValueError where they have none in common.
    """
    blocks = sorted(a.keys() & b.keys())
    if not blocks:
        raise ValueError("no block has both")
    far = max(max(abs(a[block]), abs(b[block])) for block in blocks)
    digits = DIGITS - math.ceil(math.log10(far)) if far else 0
    differences = [round(b[block] - a[block], digits) for block in blocks]
    test = signed_rank(differences)
    estimate, ci95 = hodges_lehmann.of_pairs(differences)
    alike = not any(differences)
    warnings = list(block_warnings(differences, blocks, "differences"))
    if test.ties and not alike:
        equal = len(differences) - len({abs(d) for d in differences if d})
        warnings.append(f"ties: {equal} of {len(differences)} differences are 0 or of one size")
    alone = len(a.keys() ^ b.keys())
    if alone:
        warnings.append(f"left out, since the other run of the block is missing: {alone}")
    return Difference(
        n=(len(blocks), len(blocks)),
        estimate=estimate,
        ci95=ci95,
        p=test.p,
        least_p=test.least_p,
        alike=alike,
        p_equivalent=0.5 ** len(blocks)
        if alike
        else equivalence_of_pairs(differences, margin)
        if margin
        else None,
        deviation=statistics.stdev(differences) if len(differences) > 1 else None,
        method=f"Hodges-Lehmann and signed-rank test of pairs, {_how(test.exact)}",
        paired=True,
        warnings=tuple(warnings),
    )


def unpaired_difference(
    a: Sequence[float], b: Sequence[float], margin: float | None = None
) -> Difference:
    """Of values that share no blocks. Raises ValueError where either is empty."""
    if not a or not b:
        raise ValueError("no values")
    test = mann_whitney(a, b)
    estimate, ci95 = hodges_lehmann.of_samples(a, b)
    both = [*a, *b]
    alike = len(set(both)) == 1
    warnings = [
        f"{side}: {words}"
        for side, values in (("first", a), ("second", b))
        for words in block_warnings(values, range(1, len(values) + 1), "runs")
    ]
    if test.ties and not alike:
        warnings.append(f"ties: {len(both) - len(set(both))} of {len(both)} values are the same")
    return Difference(
        n=(len(a), len(b)),
        estimate=estimate,
        ci95=ci95,
        p=test.p,
        least_p=test.least_p,
        alike=alike,
        p_equivalent=equivalence_of_samples(a, b, margin) if margin else None,
        deviation=_within_samples(a, b),
        method=f"Hodges-Lehmann and Mann-Whitney test, not paired, {_how(test.exact)}",
        paired=False,
        warnings=tuple(warnings),
    )


def _how(exact: bool) -> str:
    return "exact" if exact else "normal limit"


def _within_samples(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The pooled standard deviation."""
    if min(len(a), len(b)) < 2:
        return None
    squares = sum(statistics.variance(one) * (len(one) - 1) for one in (a, b))
    return math.sqrt(squares / (len(a) + len(b) - 2))
