"""A console as the final tables use it: characters it can show, and columns that fit.

Rich prints; this decides what is safe to print. Texts of a recording come from servers and
files, so no markup and no escape sequence in them may reach the terminal.
"""

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ipvsload.report.figure_rows import FigureRow
from ipvsload.report.first_look import first_look
from ipvsload.report.wording import one_line, plain
from ipvsload.results.results import SchedulerSummary

LABEL_WIDTH = 26
LEAST_CELL, MOST_CELL = 14, 23


class ReportConsole:
    """A console, and which characters and lines it can show."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.unicode = console.is_terminal and "utf" in console.encoding.lower()
        self.adapt: Callable[[str], str] = str if self.unicode else plain
        """Replaces the characters that the console cannot show."""

    def text(self, text: str, style: str = "") -> Text:
        """Make text that is shown as it is: without markup, line breaks and escape sequences."""
        return Text(self.adapt(one_line(text)), style=style)

    def line(self, *parts: Text) -> None:
        """Print one line. It is folded where it is too long."""
        self.console.print(Text("").join(parts), highlight=False)

    def table(self) -> Table:
        """A table without columns, with the lines that the console can show."""
        return Table(
            box=box.SIMPLE_HEAD if self.unicode else box.ASCII2,
            show_edge=False,
            pad_edge=False,
            header_style="bold",
        )

    def figures(
        self, headers: Sequence[str], columns: Sequence[SchedulerSummary], known: dict[int, str]
    ) -> None:
        """Print the columns' figures, as many side by side as the terminal has room for.

        A header may have several lines.
        """
        cells = [cell for row in first_look(columns, known) for cell in row.cells]
        cell = 3 + min(MOST_CELL, max(LEAST_CELL, *map(len, cells), 0))
        size = max(1, (self.console.width - LABEL_WIDTH) // cell)
        for start in range(0, len(columns), size):
            part = slice(start, start + size)
            self.console.print()
            self.console.print(self._part(headers[part], first_look(columns[part], known), cell))

    def _part(self, headers: Sequence[str], rows: Sequence[FigureRow], cell: int) -> Table:
        """Columns that fit side by side. What is too long is folded: rich would cut it off."""
        table = self.table()
        label = max(8, min(LABEL_WIDTH - 2, self.console.width - cell))
        most = max(9, (self.console.width - label) // max(1, len(headers)) - 3)
        table.add_column("", overflow="fold", min_width=label)
        for header in headers:
            lines = Text("\n").join(map(self.text, header.split("\n")))
            table.add_column(lines, justify="right", overflow="fold", min_width=9, max_width=most)
        for row in rows:
            if row.cells:
                table.add_row(self.text(f"  {row.label}"), *map(self.text, row.cells))
                continue
            if table.row_count:
                table.add_row()
            remark = self.text(f"  {row.remark}" if row.remark else "", "dim")
            table.add_row(Text.assemble(self.text(row.label, "bold"), remark))
        return table
