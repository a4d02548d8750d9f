"""All pairs of columns as a matrix a measure: the row against the column."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ipvsload.report.html.baseline_difference import BaselineDifference, baseline_differences
from ipvsload.report.html.forest import Kind, by_measure, one_value, told_of, verdict_kind
from ipvsload.report.measure_words import measure_words, p_words
from ipvsload.results.pair_comparison import MeasuredColumn, PairComparison
from ipvsload.results.results import Results


@dataclass(frozen=True, slots=True)
class PairCell:
    """What a row's column is to another one; of itself and of what was not compared nothing."""

    kind: Kind
    word: str = ""
    difference: str = ""
    chance: str = ""


@dataclass(frozen=True, slots=True)
class PairMatrix:
    """One measure: a row of cells for each label, in the order of `labels`."""

    title: str
    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[PairCell, ...]], ...]
    warnings: tuple[str, ...]


def pair_matrices(results: Results) -> list[PairMatrix]:
    """A matrix for each measure of three and more columns; two are in the forest already."""
    return [
        _matrix(columns, [p for p in results.comparison if p.measure == measure])
        for measure, columns in by_measure(results.columns).items()
        if len(columns) > 2 and not one_value(columns)
    ]


def methods(results: Results) -> list[str]:
    """How it was tested, each method once."""
    return list(dict.fromkeys(pair.method for pair in results.comparison if pair.method))


def _matrix(columns: list[MeasuredColumn], pairs: list[PairComparison]) -> PairMatrix:
    against = {column.label: baseline_differences(column, columns, pairs) for column in columns}
    return PairMatrix(
        measure_words(columns[0].measure),
        tuple(column.label for column in columns),
        tuple(
            (row.label, tuple(_cell(row, against[other.label]) for other in columns))
            for row in columns
        ),
        told_of(_warnings(pairs), [f"{pair.b} and {pair.a}" for pair in pairs]),
    )


def _warnings(pairs: Iterable[PairComparison]) -> list[tuple[str, str]]:
    return [(f"{pair.b} and {pair.a}", warning) for pair in pairs for warning in pair.warnings]


def _cell(row: MeasuredColumn, others: Mapping[str, BaselineDifference]) -> PairCell:
    one = others.get(row.label)
    if one is None:
        return PairCell("baseline")
    p = one.pair.p_holm
    return PairCell(
        verdict_kind(one), one.word, one.told[0], p_words(p) if one.tested and p is not None else ""
    )
