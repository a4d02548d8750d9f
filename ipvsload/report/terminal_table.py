"""What the terminal shows after a run: a line a column, the answer in words, then the verdict.

What a person wants first after a run. The verdict and what it stands on come last, because
the end of what was printed is what the terminal shows. `--details` shows all figures instead.
"""

from rich.console import Console, JustifyMethod
from rich.table import Table

from ipvsload.report.attribution_words import attributed, needed
from ipvsload.report.column_lines import comparison_warnings
from ipvsload.report.expectation_summary import summarize_expectations
from ipvsload.report.figure_rows import agreed_addresses, column_header
from ipvsload.report.prediction_rows import surprises
from ipvsload.report.regression_words import (
    regression_head,
    regression_sentences,
    regression_warnings,
)
from ipvsload.report.self_check_words import (
    SELF_CHECK_HEADERS,
    self_check_rows,
    self_check_sentences,
)
from ipvsload.report.terminal_answer import print_lines, print_sentences
from ipvsload.report.terminal_console import ReportConsole
from ipvsload.report.wording import (
    DASH,
    arrivals_line,
    early_ends,
    legend,
    over,
    place,
    plural,
    problems,
    remarks,
    verdict_line,
    watched,
)
from ipvsload.results.false_alarms import SelfCheckResult
from ipvsload.results.regression_result import RegressionResult
from ipvsload.results.results import Results

_COLOURS = {"held": "green", "failed": "red", "invalid": "yellow"}
MOST_WARNINGS = 3
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: (DASH, "dim")}


def print_results(
    results: Results, console: Console | None = None, *, details: bool = False
) -> None:
    """Print what came of it, by default on standard output: a line a column, then the verdict.

    With `details` all figures of the columns, notes, and every expectation. Rich decides on
    colours (none with NO_COLOR or in a pipe). Characters are ASCII only where the output is not
    a terminal or its encoding is not UTF.
    """
    output = ReportConsole(console or Console())
    output.line(output.text(results.scenario, "bold"), output.text(f"  {results.title}"))
    output.line(output.text(" · ".join((*place(results), *_blocks(results))), "dim"))
    if details:
        headers = [column_header(summary) for summary in results.schedulers]
        output.figures(headers, results.schedulers, agreed_addresses(results.runs))
    else:
        print_lines(output, results)
    if details:
        _notes(output, results)
    if results.self_check:
        _self_check(output, results.self_check)
    print_sentences(output, results)
    if not details:
        _told(output, results)
    _expectations(output, results, details=details)
    if results.regression:
        _regression(output, results.regression)
    _verdict(output, results)


def _blocks(results: Results) -> list[str]:
    """How often all was run."""
    repeats = max((one.repeats for one in results.schedulers), default=0)
    return [plural(repeats, "repeat")] if repeats > 1 else []


def _told(output: ReportConsole, results: Results) -> None:
    """What the labels stand for, what makes figures doubtful, and that there is more."""
    warnings = comparison_warnings(results)
    told = [*results.notes, *legend(results), *arrivals_line(results), *warnings[:MOST_WARNINGS]]
    more = len(remarks(results)) - len(told) + len(warnings[:MOST_WARNINGS])
    if needed(results):
        told.append(attributed(results))
    if told or more:
        output.console.print()
    for line in told:
        output.line(output.text(line, "dim"))
    if left := len(warnings[MOST_WARNINGS:]):
        output.line(output.text(f"and {plural(left, 'more warning')}: summary.md", "dim"))
    if more:
        output.line(output.text(f"{plural(more, 'note')}: --details", "dim"))


def _expectations(output: ReportConsole, results: Results, *, details: bool) -> None:
    """All of them, or those that did not hold; how many did, the verdict says."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for one in summarize_expectations(results):
        if one.ok and not details:
            continue
        measured = f"measured {over(one.measured)}" if one.measured else ""
        measured = " · ".join(part for part in (measured, one.reason) if part)
        if one.asked > 1:
            measured += f" · {one.held} of {one.asked} runs"
        mark, colour = _MARKS[one.ok]
        style = "" if one.ok else colour
        table.add_row(
            output.text(mark, colour),
            output.text(one.label or "compare", "bold"),
            output.text(one.expression, style),
            output.text(measured, style or "dim"),
        )
    if table.row_count:
        output.console.print()
        output.console.print(table)


def _self_check(output: ReportConsole, check: SelfCheckResult) -> None:
    table = output.table()
    for number, header in enumerate(SELF_CHECK_HEADERS):
        side: JustifyMethod = "right" if number else "left"
        table.add_column(header, justify=side, overflow="fold")
    for row in self_check_rows(check):
        table.add_row(*map(output.text, row))
    output.console.print()
    output.console.print(table)
    output.console.print()
    for line in self_check_sentences(check):
        output.line(output.text(line))


def _regression(output: ReportConsole, found: RegressionResult) -> None:
    output.console.print()
    output.line(output.text(regression_head(found), "red" if found.worse else "bold"))
    for line in regression_sentences(found):
        output.line(output.text(f"   {line}"))
    for line in regression_warnings(found):
        output.line(output.text(f"   note: {line}", "dim"))


def _notes(output: ReportConsole, results: Results) -> None:
    for at, line in enumerate(remarks(results)):
        if not at:
            output.console.print()
        output.line(output.text(f"note: {line}", "dim"))
    for line in (watched(results), attributed(results)):
        if line:
            output.line(output.text(line, "dim"))


def _verdict(output: ReportConsole, results: Results) -> None:
    output.console.print()
    word = output.text(f" {results.verdict.upper()} ", f"bold reverse {_COLOURS[results.verdict]}")
    output.line(word, output.text(f" {verdict_line(results)}"))
    for line in (*problems(results), *early_ends(results)):
        output.line(output.text(f"   {line}"))
    for line in surprises(results):
        output.line(output.text(f"   {line}", "yellow"))
