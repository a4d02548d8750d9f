"""Expectations as a matrix: an expression a row, a cell for each column of the report.

What is the same in all columns is one cell, so thirteen schedulers that all did as expected
take one line. Comparisons of columns have rows of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvsload.report.expectation_summary import ExpectationSummary, summarize_expectations
from ipvsload.report.wording import over, plural
from ipvsload.results.results import Results


@dataclass(frozen=True, slots=True)
class ExpectationCell:
    """One expression in one column, or in all of them. `runs` says in how many it held."""

    ok: bool | None
    measured: str
    runs: str


@dataclass(frozen=True, slots=True)
class ExpectationRow:
    """One expression. Either all columns share `whole`, or each has a cell, None if not asked."""

    expression: str
    ok: bool | None
    whole: ExpectationCell | None
    cells: tuple[ExpectationCell | None, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpectationMatrix:
    """`labels` are the columns that the rows' cells are of; none where each row is a whole."""

    labels: tuple[str, ...]
    rows: tuple[ExpectationRow, ...]


def expectation_matrix(results: Results) -> ExpectationMatrix:
    """All that was expected; no rows where nothing was."""
    labels = [one.label for one in results.schedulers]
    repeated = len(results.runs) > len(labels)
    found: dict[str, dict[str, ExpectationSummary]] = {}
    compared = []
    for one in summarize_expectations(results):
        if one.label:
            found.setdefault(one.expression, {})[one.label] = one
        else:
            compared.append(_row(one.expression, {"": one}, [""], repeated=False))
    rows = [_row(name, by_label, labels, repeated=repeated) for name, by_label in found.items()]
    shown = () if all(row.whole for row in rows) else tuple(labels)
    return ExpectationMatrix(shown, (*rows, *compared))


def _row(
    expression: str,
    by_label: Mapping[str, ExpectationSummary],
    labels: Sequence[str],
    *,
    repeated: bool,
) -> ExpectationRow:
    told = list(by_label.values())
    states = {one.ok for one in told}
    return ExpectationRow(
        expression=expression,
        ok=False if False in states else None if None in states else True,
        whole=_whole(told, repeated=repeated) if len(told) == len(labels) else None,
        cells=tuple(
            _cell(by_label[label], repeated=repeated) if label in by_label else None
            for label in labels
        ),
        reasons=_reasons(told),
    )


def _cell(one: ExpectationSummary, *, repeated: bool) -> ExpectationCell:
    runs = f"{one.held} of {one.asked}" if repeated else ""
    return ExpectationCell(one.ok, over(one.measured), runs)


def _whole(told: Sequence[ExpectationSummary], *, repeated: bool) -> ExpectationCell | None:
    """One cell for all columns; None where they are not alike."""
    first = told[0]
    if len({(one.ok, one.ok or (one.held, one.asked), over(one.measured)) for one in told}) > 1:
        return None
    asked, held = sum(one.asked for one in told), sum(one.held for one in told)
    runs = f"{held} of {plural(asked, 'run')}" if repeated else ""
    if len(told) > 1:
        runs = ", ".join(part for part in (f"in all {len(told)} columns", runs) if part)
    return ExpectationCell(first.ok, over(first.measured), runs)


def _reasons(told: Sequence[ExpectationSummary]) -> tuple[str, ...]:
    """Why it did not hold or was not asked, each reason once with those that it is of."""
    who: dict[str, list[str]] = {}
    for one in told:
        if one.reason:
            who.setdefault(one.reason, []).append(one.label)
    everybody = [one.label for one in told]
    return tuple(
        reason if labels == everybody else f"{', '.join(labels)}: {reason}"
        for reason, labels in who.items()
    )
