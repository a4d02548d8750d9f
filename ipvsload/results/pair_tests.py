"""Pairs of columns, tested together: what is shown of each, after the correction for all of them.

Differences and equivalences are two families of tests, and each is corrected for itself: of
all that is said to differ nothing is wrong in 95 % of experiments, and of all that is said to
be equivalent neither.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison, PairVerdict
from ipvsload.statistics.difference import Difference, paired_difference, unpaired_difference
from ipvsload.statistics.holm import countable, holm

LEVEL = 0.05

Pair = tuple[MeasuredColumn, MeasuredColumn]


def pairs_of(columns: Sequence[MeasuredColumn]) -> Iterator[Pair]:
    """Every two columns of a measure, in their order."""
    for _, same in groupby(columns, key=lambda column: column.measure):
        yield from combinations(same, 2)


def pair_comparisons(
    pairs: Sequence[Pair], margin: float, *, paired: bool = True
) -> tuple[PairComparison, ...]:
    """All of these, as one experiment. Not `paired` where their runs share no blocks.

    `margin` is a part of the first one's median.
    """
    found = [_difference(a, b, margin, paired=paired) for a, b in pairs]
    counted = countable([one.least_p if one else 1.0 for one in found], LEVEL)
    p_holm = _corrected([one.p if one else 1.0 for one in found], counted)
    rejected = sum(p < LEVEL for p in p_holm)
    tests = sum(counted)
    shown = _equivalent(found)
    return tuple(
        PairComparison(
            measure=a.measure,
            a=a.label,
            b=b.label,
            n=one.n if one else (len(a.blocks), len(b.blocks)),
            median=(a.median, b.median),
            ci95=(a.ci95, b.ci95),
            difference=one.estimate if one else None,
            difference_ci95=one.ci95 if one else None,
            p=one.p if one else None,
            p_holm=p_holm[i] if one else None,
            verdict=(verdict := _verdict(one, p_holm[i], shown[i])),
            margin=margin,
            p_equivalent=shown[i],
            more_blocks=_more(one, a, margin, LEVEL / max(1, tests - rejected))
            if verdict == "~"
            else None,
            method=f"{one.method}; {_holm_words(tests, counted[i])}" if one else "",
            paired=paired,
            warnings=one.warnings if one else ("no two runs that can be compared",),
            least_p=one.least_p if one else None,
            tests=tests if counted[i] else 0,
        )
        for i, ((a, b), one) in enumerate(zip(pairs, found, strict=True))
    )


def _difference(
    a: MeasuredColumn, b: MeasuredColumn, margin: float, *, paired: bool
) -> Difference | None:
    """None where there is nothing to compare."""
    of_a, of_b = dict(a.blocks), dict(b.blocks)
    absolute = margin * abs(a.median or 0.0)
    if paired:
        return paired_difference(of_a, of_b, absolute) if of_a.keys() & of_b.keys() else None
    if not of_a or not of_b:
        return None
    return unpaired_difference(list(of_a.values()), list(of_b.values()), absolute)


def _corrected(ps: Sequence[float], counted: Sequence[bool]) -> list[float]:
    """Holm's, of those that count; a p that does not is multiplied by their number."""
    steps = iter(holm([p for p, counts in zip(ps, counted, strict=True) if counts]))
    tests = max(1, sum(counted))
    return [
        next(steps) if counts else min(1.0, p * tests)
        for p, counts in zip(ps, counted, strict=True)
    ]


def _equivalent(found: Sequence[Difference | None]) -> list[float | None]:
    """The corrected p-values of equivalence. What is exactly alike is no test, and stands."""
    claims = [None if one is None or one.alike else one.p_equivalent for one in found]
    steps = iter(holm([p for p in claims if p is not None]))
    return [
        next(steps) if claim is not None else one.p_equivalent if one else None
        for claim, one in zip(claims, found, strict=True)
    ]


def _verdict(found: Difference | None, p_holm: float, p_equivalent: float | None) -> PairVerdict:
    if found is None:
        return "~"
    if p_holm < LEVEL:
        return "less" if found.estimate < 0 else "greater"
    return "equivalent" if p_equivalent is not None and p_equivalent < LEVEL else "~"


def _holm_words(tests: int, counts: bool) -> str:
    return f"one of {tests} in Holm's correction" if counts else "no test, so not corrected for"


def _more(found: Difference | None, a: MeasuredColumn, margin: float, level: float) -> int | None:
    if found is None:
        return None
    needed = found.needed(margin * abs(a.median or 0.0), level)
    return None if needed is None else max(0, needed - min(found.n))
