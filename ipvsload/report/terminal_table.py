"""The table on the terminal: schedulers side by side, then the verdict.

What a person wants first after a run: who got what, how long it took, and
whether it was as expected. Nothing but ASCII where the output is no terminal.
"""

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ipvsload.report import figure_rows as rows
from ipvsload.report.wording import (
    DASH,
    expectations,
    kernels,
    one_line,
    over,
    plain,
    problems,
    remarks,
    verdict_line,
)
from ipvsload.results.results import Results, SchedulerSummary

LABEL_WIDTH = 26
_COLOURS = {"held": "green", "failed": "red", "invalid": "yellow"}
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: (DASH, "dim")}


def print_results(results: Results, console: Console | None = None) -> None:
    """Print the whole table, by default on standard output.

    Colours follow the console (none with NO_COLOR or in a pipe), characters
    too: ASCII only where it is no terminal or its encoding is not UTF.
    """
    console = console or Console()
    page = Page(console)
    page.line(page.text(results.scenario, "bold"), page.text(f"  {results.title}"))
    page.line(page.text(f"{results.testbed} · kernel {kernels(results)}", "dim"))
    size = group_size(results.schedulers, console.width)
    for start in range(0, len(results.schedulers), size):
        group = results.schedulers[start : start + size]
        page.figures([rows.header(s) for s in group], group, rows.addresses(results.runs))
    _expectations(page, results)
    _verdict(page, results)


def group_size(schedulers: Sequence[SchedulerSummary], width: int) -> int:
    """How many schedulers side by side a terminal of this width bears, at least 1."""
    cell = 26 if any(s.repeats > 1 for s in schedulers) else 17
    return max(1, (width - LABEL_WIDTH) // cell)


class Page:
    """A console, and which characters and lines it takes."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.fancy = console.is_terminal and "utf" in console.encoding.lower()
        self._adapt: Callable[[str], str] = str if self.fancy else plain

    def text(self, text: str, style: str = "") -> Text:
        """Text that means itself: no markup, no line break and no escape sequence in it."""
        return Text(self._adapt(one_line(text)), style=style)

    def header(self, lines: str) -> Text:
        """A column's heading, which may have several lines."""
        return Text("\n").join(self.text(line) for line in lines.split("\n"))

    def line(self, *parts: Text) -> None:
        """Print one line, folded where it is too long."""
        self.console.print(Text("").join(parts), highlight=False)

    def figures(
        self, headers: Sequence[str], columns: Sequence[SchedulerSummary], known: dict[int, str]
    ) -> None:
        """Print the columns' figures side by side."""
        table = Table(
            box=box.SIMPLE_HEAD if self.fancy else box.ASCII2,
            show_edge=False,
            pad_edge=False,
            header_style="bold",
        )
        table.add_column("", no_wrap=True, min_width=LABEL_WIDTH - 2)
        for header in headers:
            table.add_column(self.header(header), justify="right", min_width=9)
        for row in rows.figures(columns, known):
            if row.head:
                if table.row_count:
                    table.add_row()
                remark = self.text(f"  {row.remark}", "dim")
                table.add_row(Text.assemble(self.text(row.label, "bold"), remark))
            else:
                table.add_row(self.text(f"  {row.label}"), *map(self.text, row.cells))
        self.console.print()
        self.console.print(table)


def _expectations(page: Page, results: Results) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for one in expectations(results):
        measured = f"measured {over(one.measured)}" if one.measured else ""
        measured = " · ".join(part for part in (measured, one.reason) if part)
        if one.asked > 1:
            measured += f" · {one.held} of {one.asked} runs"
        mark, colour = _MARKS[one.ok]
        style = "" if one.ok else colour
        table.add_row(
            page.text(mark, colour),
            page.text(one.scheduler, "bold"),
            page.text(one.expression, style),
            page.text(measured, style or "dim"),
        )
    if table.row_count:
        page.console.print()
        page.console.print(table)


def _verdict(page: Page, results: Results) -> None:
    page.console.print()
    for line in remarks(results):
        page.line(page.text(f"note: {line}", "dim"))
    word = page.text(f" {results.verdict.upper()} ", f"bold reverse {_COLOURS[results.verdict]}")
    page.line(word, page.text(f" {verdict_line(results)}"))
    for line in problems(results):
        page.line(page.text(f"   {line}"))
