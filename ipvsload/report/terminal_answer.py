"""What the terminal shows first: a line a column, and what the verdict says in words."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from ipvsload.report.column_lines import BASELINE, ColumnLines, MeasureCells, column_lines
from ipvsload.report.pair_words import pair_sentence
from ipvsload.report.terminal_console import ReportConsole
from ipvsload.report.verdict_words import class_sentences
from ipvsload.report.wording import plural
from ipvsload.results.class_standings import class_standings
from ipvsload.results.results import Results

_QUIET = (BASELINE, "~")
LEAST_LABEL, MOST_LABEL = 6, 24
_GAP = 2
MOST_SENTENCES = 6
"""Of pairs by other measures than those that classes are judged by."""


def print_lines(output: ReportConsole, results: Results) -> None:
    """Print one line a column; measures that do not fit beside each other stand below."""
    lines = column_lines(results)
    if not lines.labels:
        return
    for part in _parts(lines, output.console.width):
        output.console.print()
        output.console.print(_table(output, lines.labels, part))


def print_sentences(output: ReportConsole, results: Results) -> None:
    """Print the verdict's sentences: one a class, and what counts besides."""
    if results.self_check or len(results.schedulers) < 1 or not results.columns:
        return
    output.console.print()
    for line in class_sentences(results):
        name, colon, rest = line.partition(": ")
        output.line(output.text(name, "bold"), output.text(f"{colon}{rest}"))
    others = list(_others(results))
    for line in others[:MOST_SENTENCES]:
        output.line(output.text(line))
    if left := len(others[MOST_SENTENCES:]):
        output.line(output.text(f"and {plural(left, 'more difference')}: summary.md", "dim"))


def _others(results: Results) -> Iterator[str]:
    """The pairs with the baseline that count by a measure that no class is judged by."""
    judged = {one.measure for one in class_standings(results)}
    columns = {(one.measure, one.label): one for one in results.columns}
    for pair in results.comparison:
        of_baseline = results.baseline in (pair.a, pair.b)
        if pair.verdict in ("less", "greater") and of_baseline and pair.measure not in judged:
            yield pair_sentence(pair, columns[pair.measure, pair.a], columns[pair.measure, pair.b])


def _parts(lines: ColumnLines, width: int) -> list[list[MeasureCells]]:
    """The measures that fit side by side; the connections only where they fit with all of them."""
    left = width - _label_width(lines.labels)
    parts: list[list[MeasureCells]] = [[]]
    room = left
    for cells in lines.measures:
        if parts[-1] and _width(cells) > room:
            parts.append([])
            room = left
        parts[-1].append(cells)
        room -= _width(cells)
    if lines.connections and _width(lines.connections) <= room:
        parts[-1].append(lines.connections)
    return parts


def _table(output: ReportConsole, labels: Sequence[str], part: Sequence[MeasureCells]) -> Table:
    """What is too long for the terminal is folded: rich would cut it off."""
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    table.add_column("", overflow="fold", max_width=_label_width(labels))
    for cells in part:
        table.add_column(output.text(cells.header), overflow="fold")
        if cells.against:
            table.add_column("", overflow="fold")
    for at, label in enumerate(labels):
        told = [output.text(label, "bold")]
        for cells in part:
            told.append(output.text(cells.values[at]))
            if cells.against:
                against = cells.against[at]
                told.append(output.text(against, "dim" if against in _QUIET else ""))
        table.add_row(*told)
    return table


def _label_width(labels: Sequence[str]) -> int:
    return min(MOST_LABEL, max(LEAST_LABEL, *map(len, labels)))


def _width(cells: MeasureCells) -> int:
    """With the gaps before its cells."""
    value = max(len(cells.header), *map(len, cells.values))
    return value + _GAP + (max(map(len, cells.against)) + _GAP if cells.against else 0)
