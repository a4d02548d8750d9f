"""Choices that are not the model's: what each server had when the connection came."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from ipvsload.report.wording import DASH, figure, plural
from ipvsload.results.prediction import Mismatch, ServerAtChoice
from ipvsload.results.results import RunResult

SHOWN_SERVERS = 8
"""Of more servers, the best by score, the chosen one and the predicted one."""


@dataclass(frozen=True, slots=True)
class MismatchTable:
    """One choice: `title` says which and what, a row is a server, `left_out` how many are not."""

    title: str
    about: str
    rows: tuple[tuple[str, ...], ...]
    left_out: str


def mismatch_tables(runs: Sequence[RunResult]) -> list[MismatchTable]:
    """The first such choices of each run."""
    return [_table(run, one) for run in runs if run.prediction for one in run.prediction.mismatches]


def _table(run: RunResult, one: Mismatch) -> MismatchTable:
    names = {server.address: f"server {at}" for at, server in enumerate(run.servers, 1)}

    def name(address: str | None) -> str:
        return "no server" if address is None else names.get(address, address)

    def row(server: ServerAtChoice) -> tuple[str, ...]:
        marks = (("chosen", one.chosen), ("predicted", one.predicted))
        return (
            name(server.address),
            ", ".join(word for word, address in marks if address == server.address),
            server.working or DASH,
            figure(server.active),
            figure(server.inactive),
            str(server.weight),
        )

    best = sorted(one.servers, key=lambda s: inf if s.score is None else s.score)[:SHOWN_SERVERS]
    told = {s.address for s in best} | {one.chosen, one.predicted}
    shown = [server for server in one.servers if server.address in told]
    left = len(one.servers) - len(shown)
    kind = f", {one.traffic}," if one.traffic else ""
    return MismatchTable(
        title=f"{run.label}, run {run.number}: connection {one.connection}{kind} went to"
        f" {name(one.chosen)}; the model says {name(one.predicted)}",
        about=f"{one.at_us / 1e6:.6f} s after the recording began,"
        f" from {one.client} port {one.port}",
        rows=tuple(map(row, shown)),
        left_out=f"{plural(left, 'more server')}, none with a better score" if left else "",
    )
