"""Pairs of columns, tested together: what is shown of each, after the correction for all of them.

Differences and equivalences are two families of tests, and each is corrected for itself: of
all that is said to differ nothing is wrong in 95 % of experiments, and of all that is said to
be equivalent neither.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

from ipvsload.results.column_difference import ColumnDifference, column_difference
from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison, PairVerdict
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
    found = [column_difference(a, b, margin, paired=paired) for a, b in pairs]
    counted = countable([one.test.least_p if one else 1.0 for one in found], LEVEL)
    p_holm = _corrected([one.test.p if one else 1.0 for one in found], counted)
    rejected = sum(p < LEVEL for p in p_holm)
    tests = sum(counted)
    shown = _equivalent(found)
    return tuple(
        PairComparison(
            measure=a.measure,
            a=a.label,
            b=b.label,
            n=one.test.n if one else (len(a.blocks), len(b.blocks)),
            median=(a.median, b.median),
            ci95=(a.ci95, b.ci95),
            difference=one.estimate if one else None,
            difference_ci95=one.ci95 if one else None,
            p=one.test.p if one else None,
            p_holm=p_holm[i] if one else None,
            verdict=(verdict := _verdict(one, p_holm[i], shown[i])),
            margin=margin,
            p_equivalent=shown[i],
            more_blocks=_more(one, LEVEL / max(1, tests - rejected)) if verdict == "~" else None,
            method=f"{one.method}; {_holm_words(tests, counted[i])}" if one else "",
            paired=paired,
            warnings=one.test.warnings if one else ("no two runs that can be compared",),
            least_p=one.test.least_p if one else None,
            tests=tests if counted[i] else 0,
            ratio=one is not None and one.base is not None,
        )
        for i, ((a, b), one) in enumerate(zip(pairs, found, strict=True))
    )


def _corrected(ps: Sequence[float], counted: Sequence[bool]) -> list[float]:
    """Holm's, of those that count; a p that does not is multiplied by their number."""
    steps = iter(holm([p for p, counts in zip(ps, counted, strict=True) if counts]))
    tests = max(1, sum(counted))
    return [
        next(steps) if counts else min(1.0, p * tests)
        for p, counts in zip(ps, counted, strict=True)
    ]


def _equivalent(found: Sequence[ColumnDifference | None]) -> list[float | None]:
    """The corrected p-values of equivalence. What is exactly alike is no test, and stands."""
    claims = [None if one is None or one.test.alike else one.test.p_equivalent for one in found]
    steps = iter(holm([p for p in claims if p is not None]))
    return [
        next(steps) if claim is not None else one.test.p_equivalent if one else None
        for claim, one in zip(claims, found, strict=True)
    ]


def _verdict(
    found: ColumnDifference | None, p_holm: float, p_equivalent: float | None
) -> PairVerdict:
    if found is None:
        return "~"
    if p_holm < LEVEL:
        return "less" if found.estimate < 0 else "greater"
    return "equivalent" if p_equivalent is not None and p_equivalent < LEVEL else "~"


def _holm_words(tests: int, counts: bool) -> str:
    return f"one of {tests} in Holm's correction" if counts else "no test, so not corrected for"


def _more(found: ColumnDifference | None, level: float) -> int | None:
    needed = found.needed(level) if found else None
    return None if needed is None or found is None else max(0, needed - min(found.test.n))
