"""`ipvsload explain` on the terminal: decisions as a table, or one of them in sentences."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from rich.console import Console
from rich.table import Table

from ipvsload.replay.decision import Decision
from ipvsload.report.decision_rows import DecisionTable, decision_table, score_of
from ipvsload.report.decision_words import Before, DecidingRun, count_words, verdict_words, why
from ipvsload.report.terminal_console import ReportConsole
from ipvsload.report.wording import DASH, plural

FIRST = 20
"""So many decisions are shown where nobody asks for all."""
MANY = 12
"""Of more servers, one decision shows so many."""
LEAST_WIDTH = 9
PAGE = 500
"""A table of many decisions is printed in parts of so many, so that it begins at once."""
_STYLES = {"matched": "dim", "consistent": "dim", "mismatched": "bold red", "unexplained": "yellow"}


def print_table(
    run: DecidingRun,
    replayed: Callable[[bool], Iterable[Decision]],
    *,
    only_mismatches: bool,
    everything: bool,
    command: str,
    console: Console | None = None,
) -> None:
    """Print a run's decisions, the first FIRST or all, and how many there are.

    `replayed` gives all of them anew each time, with the servers of each or, much quicker where
    there are many servers, without any. `command` is what a reader types to see more of the run,
    without the options for it.
    """
    output = ReportConsole(console or Console())
    _heading(output, run)
    verdicts: Counter[str] = Counter()
    asked = (
        one
        for one in _counted(replayed(everything or only_mismatches), verdicts)
        if not only_mismatches or _strange(one)
    )
    if everything:
        shown = _all(output, run, asked)
    else:
        page = list(islice(asked, FIRST))
        shown = len(page)
        if page:
            page = page if only_mismatches else list(islice(replayed(True), FIRST))
            rows = decision_table(run, page, output.console.width)
            output.line(output.text(rows.remark, "dim"))
            output.console.print()
            output.console.print(_table(output, rows))
    more = sum(1 for _ in asked)
    total = verdicts.total()
    what = "such choice" if only_mismatches else "connection"
    if only_mismatches and not shown:
        output.line(output.text("no choice that is not the model's", "green" if total else ""))
    order = "packets at the director" if run.witness else "the times of requests"
    output.line(output.text(f"{count_words(verdicts, total)}; their order is that of {order}"))
    dim = "dim"
    mine = f"{command} --mismatches" if only_mismatches else command
    if more:
        output.line(
            output.text(f"{shown} of {plural(shown + more, what)} shown; all of them: ", dim),
            output.text(f"{mine} --all"),
        )
    if shown:
        output.line(
            output.text("one of them in sentences: ", dim), output.text(f"{command} --connection K")
        )


def print_one(
    run: DecidingRun, found: Iterable[Decision], wanted: int, console: Console | None = None
) -> int | None:
    """Print why connection `wanted`, from 1, went where it went.

    Returns None, or how many connections there are where there is none of that number.
    """
    before = Before()
    seen = 0
    for decision in found:
        seen = decision.index + 1
        if seen == wanted:
            break
        before.note(decision, run)
    else:
        return seen
    output = ReportConsole(console or Console())
    simulated = ", simulated" if run.simulated else ""
    kind = f", class {decision.traffic}" if decision.traffic else ", of no class"
    through = f", through director {decision.director}" if decision.director else ""
    output.line(
        output.text(f"connection {wanted}", "bold"),
        output.text(f" of run {run.number} ({run.label}{simulated}){kind}: from {decision.client}"
                    f" port {decision.port}{through}, at {run.seconds(decision):.6f} s"),
    )  # fmt: skip
    if run.rule:
        output.line(output.text(f"{run.scheduler}: {run.rule}", "dim"))
    output.console.print()
    output.console.print(_servers(output, run, decision))
    output.console.print()
    for sentence in (*why(decision, run, before), verdict_words(decision, run)):
        output.line(output.text(sentence))
    return None


def _heading(output: ReportConsole, run: DecidingRun) -> None:
    simulated = ", simulated" if run.simulated else ""
    output.line(
        output.text(f"run {run.number} ({run.label}{simulated})", "bold"),
        output.text(f"  {run.scheduler}: {run.rule}" if run.rule else ""),
    )


def _counted(found: Iterable[Decision], verdicts: Counter[str]) -> Iterator[Decision]:
    for decision in found:
        verdicts[decision.verdict] += 1
        yield decision


def _strange(decision: Decision) -> bool:
    return decision.verdict in ("mismatched", "unexplained")


def _all(output: ReportConsole, run: DecidingRun, asked: Iterator[Decision]) -> int:
    """Print as many lines as there are, at once and without colours. Returns their number.

    Rich takes 3 ms for a row: a minute for twenty thousand.
    """
    shown = 0
    widths: list[int] = []
    gap = "   " if output.unicode else " | "
    while page := list(islice(asked, PAGE)):
        rows = decision_table(run, page, output.console.width)
        lines = [row.cells for row in rows.rows]
        if not shown:
            output.line(output.text(rows.remark, "dim"))
            lines.insert(0, rows.headers)
        if len(widths) != len(rows.widths):
            widths = rows.widths
        widths = [max(pair) for pair in zip(widths, rows.widths, strict=True)]
        text = "\n".join(gap.join(map(_padded, line, widths)).rstrip() for line in lines)
        output.console.out(output.adapt(text), highlight=False)
        shown += len(page)
    return shown


def _padded(cell: str, width: int) -> str:
    return cell.ljust(width) if cell[:1].isalpha() else cell.rjust(width)


def _table(output: ReportConsole, found: DecisionTable) -> Table:
    """One line a connection; the server that got it in bold."""
    table = output.table()
    for at, (header, width) in enumerate(zip(found.headers, found.widths, strict=True)):
        left = at in (1, len(found.headers) - 1)
        table.add_column(
            output.text(header),
            justify="left" if left else "right",
            overflow="fold",
            min_width=min(width, LEAST_WIDTH),
        )
    for row in found.rows:
        styles = ["bold" if at == row.chosen else "" for at in range(len(row.cells) - 1)]
        table.add_row(*map(output.text, row.cells, (*styles, _STYLES[row.verdict])))
    return table


def _servers(output: ReportConsole, run: DecidingRun, decision: Decision) -> Table:
    """Each server as it was, of many the best by score and those that are spoken of."""
    table = output.table()
    weighted = any(server.weight != 1 for server in decision.servers)
    scored = any(server.score is not None for server in decision.servers)
    for header in ("server", *["weight"] * weighted, "active", "inactive", *["score"] * scored):
        right = header in ("weight", "active", "inactive")
        table.add_column(header, justify="right" if right else "left", no_wrap=header == "server")
    table.add_column("", overflow="fold")
    shown = set(decision.servers)
    if len(decision.servers) > MANY:
        newest_first = decision.servers[::-1]
        best = sorted(newest_first, key=score_of)[:MANY]
        shown = {
            *best,
            *(s for s in decision.servers if s.address in (decision.chosen, decision.predicted)),
        }
    for server in decision.servers:
        if server not in shown:
            continue
        chosen, predicted = server.address == decision.chosen, server.address == decision.predicted
        marks = [word for word, on in (("chosen", chosen), ("predicted", predicted)) if on]
        cells = [
            f"{run.name(server.address).removeprefix('server ')}  {server.address}",
            *([str(server.weight)] if weighted else []),
            str(server.active),
            str(server.inactive),
            *([run.working(server) or DASH] if scored else []),
            ", ".join(marks),
        ]
        table.add_row(*(output.text(cell, "bold" if chosen else "") for cell in cells))
    if left := len(decision.servers) - len(shown):
        table.add_row(output.text(f"{left} more", "dim"))
    return table
