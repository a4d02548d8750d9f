"""Decisions as rows of text: one a connection, with what each server had when it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from ipvsload.replay.decision import Decision, ServerState
from ipvsload.report.decision_words import DecidingRun
from ipvsload.report.shown_servers import MOST
from ipvsload.report.wording import DASH


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision; its cells stand under those of `headers`, the verdict last."""

    cells: tuple[str, ...]
    verdict: str
    chosen: int | None
    """Which of the cells is of the server that got the connection."""


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """Rows with their headers; `remark` says what a server's cell has."""

    headers: tuple[str, ...]
    rows: tuple[DecisionRow, ...]
    remark: str

    @property
    def widths(self) -> list[int]:
        """How many characters each column has."""
        columns = zip(self.headers, *(row.cells for row in self.rows), strict=True)
        return [max(map(len, column)) for column in columns]

    @property
    def width(self) -> int:
        """How many the table has, with its rules between columns."""
        return sum(self.widths) + 3 * (len(self.headers) - 1)


def decision_table(run: DecidingRun, decisions: Sequence[Decision], width: int) -> DecisionTable:
    """The rows of these decisions, with as much in them as `width` characters have room for.

    Servers have a column each, with how their scores are worked out or without. Where that does
    not fit, or there are more than MOST, there are columns of the one that was chosen and, where
    there are scores, of the best of the others.
    """
    many = len({*run.numbers, *(one.address for d in decisions for one in d.servers)}) > MOST
    for in_numbers in (True, False):
        found = _table(run, decisions, each=not many, in_numbers=in_numbers)
        if found.width <= width:
            return found
    return _table(run, decisions, each=False, in_numbers=False)


def _table(
    run: DecidingRun, decisions: Sequence[Decision], *, each: bool, in_numbers: bool
) -> DecisionTable:
    seen = (one.address for d in decisions for one in d.servers)
    addresses = list(dict.fromkeys((*run.numbers, *seen)))
    addresses.sort(key=lambda address: run.numbers.get(address, len(run.numbers)))
    middle = [_short(run, address) for address in addresses]
    scored = any(one.score is not None for d in decisions for one in d.servers)
    if not each:
        middle = ["chosen one had", *["best other"] * scored]
    elif in_numbers:
        middle = [run.name(address) for address in addresses]
    elif middle:
        middle[0] = run.name(addresses[0])  # the others are servers, too, and their columns narrow
    several = any(one.director for one in decisions)
    before = 4 if several else 3
    rows = []
    for decision in decisions:
        states = {one.address: one for one in decision.servers}
        chosen = states.get(decision.chosen or "")
        if each:
            cells = [_cell(run, states.get(address), in_numbers) for address in addresses]
            place = addresses.index(chosen.address) + before if chosen else None
        else:
            others = [one for one in decision.servers if one is not chosen]
            best = min(reversed(others), key=score_of, default=None)
            named = f"{_short(run, best.address)}: " if best else ""
            cells = [_cell(run, chosen, in_numbers)]
            if scored:
                cells.append(named + _cell(run, best, in_numbers))
            place = before if chosen else None
        rows.append(
            DecisionRow(
                cells=(
                    str(decision.index + 1),
                    decision.traffic or DASH,
                    f"{run.seconds(decision):.6f}",
                    *([str(decision.director)] if several else []),
                    *cells,
                    _short(run, decision.chosen),
                    _short(run, decision.predicted),
                    decision.verdict,
                ),
                verdict=decision.verdict,
                chosen=place,
            )
        )
    weighted = any(one.weight != 1 for d in decisions for one in d.servers)
    remark = "each server: active/inactive connections before this one"
    remark += ", its weight if not 1" if weighted else ""
    if scored:
        wins = run.choice in ("load", "idle")
        remark += ", its score by the rule" + (", of which the least wins" if wins else "")
    return DecisionTable(
        (
            "#",
            "class",
            "at (s)",
            *(["director"] if several else []),
            *middle,
            "chosen",
            "predicted",
            "verdict",
        ),
        tuple(rows),
        remark,
    )


def _cell(run: DecidingRun, server: ServerState | None, in_numbers: bool) -> str:
    if server is None:
        return DASH
    parts = [f"{server.active}/{server.inactive}"]
    if server.weight != 1:
        parts.append(f"w{server.weight}")
    working = run.working(server)
    if working:
        parts.append(working if in_numbers else working.rpartition("= ")[2])
    return "  ".join(parts)


def score_of(server: ServerState) -> float:
    """A server's score, to sort by: those without one come last."""
    return inf if server.score is None else server.score


def _short(run: DecidingRun, address: str | None) -> str:
    return "none" if address is None else run.name(address).removeprefix("server ")
