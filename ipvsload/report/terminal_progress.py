"""Progress on the terminal while a run goes on: what the kernel's table shows now.

A frame is a pure function of a LiveState. Where the output is not a terminal, each run is
one line.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ipvsload.experiment.progress import Progress
from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.timeline import Timeline
from ipvsload.ipvs.table import RealServer
from ipvsload.record.format import ServerOccupancy
from ipvsload.report.wording import plain
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Scenario

REFRESH_SECONDS = 0.1
SPARK_WIDTH = 24
SHOWN_SERVERS = 10
PRESENT = "the scheduler that is there"
_SPARKS = " ▁▂▃▄▅▆▇█"
_ASCII_SPARKS = " .:-=+*#%"

_COUNTS = ("requests", "failures", "inflight")
_RIGHT = ("weight", "active", "busy", "queue", "inactive", "requests", "failed", "in flight")

NumberedServer = tuple[int, RealServer]


@dataclass(frozen=True, slots=True)
class LiveClass:
    """One traffic class now. `inflight` counts requests that were sent and not yet answered."""

    name: str
    requests: int
    failures: int
    inflight: int


@dataclass(frozen=True, slots=True)
class LiveState:
    """What a frame shows. `elapsed` is in seconds since the timeline began.

    `step` is the current step in words. `awaits` is what the step waits for and the value
    that was last seen. Both may be empty. `servers` are those in the kernel's table now, with
    their numbers; `occupancy` is what those with a capacity say, by address.
    """

    label: str
    repeat: int
    repeats: int
    elapsed: float
    step: str
    awaits: str
    servers: Sequence[NumberedServer]
    classes: Sequence[LiveClass]
    occupancy: Mapping[str, ServerOccupancy] = field(default_factory=dict)


class TerminalProgress(Progress):
    """Draws the runs of a scenario in place on a terminal; elsewhere one line for each run."""

    def __init__(self, scenario: Scenario, console: Console | None = None) -> None:
        """By default on standard error: standard output is for the results."""
        self._scenario = scenario
        self._console = console or Console(stderr=True)
        self._live: Live | None = None
        self._drawn = float("-inf")
        self._history: dict[str, deque[int]] = {}
        self._unicode = "utf" in self._console.encoding.lower()
        self._run = ("", 1, 1)

    def begin(self, label: str, repeat: int, repeats: int) -> None:
        """Show that a run begins."""
        self._run = (label, repeat, repeats)
        self._history.clear()
        if not self._console.is_terminal:
            of = f", {_repeat(repeat, repeats)}" if repeats != 1 else ""
            self._console.print(
                plain(f"running {label or PRESENT}{of}"), markup=False, highlight=False
            )
        elif self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()

    def block_over(self, words: str) -> None:
        """Print it, above what is drawn."""
        whole = not self._console.is_terminal
        self._console.print(plain(words), markup=False, highlight=False, soft_wrap=whole)

    def update(self, state: RunState, timeline: Timeline) -> None:
        """Draw the state, unless the last one was drawn just now. Cheap otherwise."""
        if self._live is None or time.monotonic() - self._drawn < REFRESH_SECONDS:
            return
        self._drawn = time.monotonic()
        shown = self._state(state, timeline)
        for _, server in shown.servers:
            history = self._history.setdefault(server.address, deque(maxlen=SPARK_WIDTH))
            history.append(server.active)
        self._live.update(frame(shown, self._history, unicode=self._unicode), refresh=True)

    def close(self) -> None:
        """Leave the terminal as it was. A second call does nothing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _state(self, state: RunState, timeline: Timeline) -> LiveState:
        lookup = state.lookup(max(state.sample_us, state.began_us), 0)
        step, awaits = "", ""
        if timeline.current is not None:
            index, current = timeline.current
            step = (
                f"step {index + 1} of {len(self._scenario.timeline)}: {current.action.describe()}"
            )
            if isinstance(current.awaited, Condition):
                awaits = f"until {current.awaited}; now {current.awaited.describe(lookup)}"
        servers = [
            (number, entry)
            for number, address in enumerate(state.servers, 1)
            if (entry := state.in_table(address)) is not None
        ]
        classes = [
            LiveClass(name, *(round(lookup(Measure(what, class_=name)) or 0) for what in _COUNTS))
            for name in self._scenario.traffic
        ]
        elapsed = max(0, state.sample_us - state.began_us) / 1e6 if state.began_us else 0.0
        return LiveState(*self._run, elapsed, step, awaits, servers, classes, state.occupancy)


def frame(
    state: LiveState, history: Mapping[str, Sequence[int]], *, unicode: bool = True
) -> RenderableType:
    """Make the picture of a state. `history` has each server's last ActiveConn, oldest first."""
    adapt: Callable[[str], str] = str if unicode else plain
    of = f" · {_repeat(state.repeat, state.repeats)}" if state.repeats != 1 else ""
    head = Text.assemble(
        (adapt(state.label), "bold"), (adapt(f"{of} · {state.elapsed:.1f} s"), "dim")
    )
    step = Text.assemble(
        (adapt(state.step), "bold cyan"),
        (adapt(f"  {state.awaits}" if state.awaits else ""), "dim"),
        no_wrap=True,
        overflow="ellipsis" if unicode else "crop",
    )
    parts: list[RenderableType] = [head, step]
    if state.servers:
        parts.append(_servers(state.servers, state.occupancy, history, unicode))
    if state.classes:
        parts.append(_classes(state.classes))
    return Group(*parts)


def _repeat(repeat: int, repeats: int) -> str:
    return f"repeat {repeat} of {repeats}" if repeats else f"repeat {repeat}"


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for header in headers:
        table.add_column(header, justify="right" if header in _RIGHT else "left", no_wrap=True)
    return table


def _servers(
    servers: Sequence[NumberedServer],
    occupancy: Mapping[str, ServerOccupancy],
    history: Mapping[str, Sequence[int]],
    unicode: bool,
) -> Table:
    told = ("busy", "queue") if occupancy else ()
    table = _table("server", "", "weight", "active", *told, "inactive", "")
    shown = servers if len(servers) <= SHOWN_SERVERS else servers[: SHOWN_SERVERS - 1]
    greatest = max((max(history.get(s.address, [0])) for _, s in servers), default=0)
    for number, server in shown:
        table.add_row(
            str(number),
            Text(server.address, "dim"),
            str(server.weight),
            Text(str(server.active), "bold"),
            *_told(occupancy, [server.address]),
            str(server.inactive),
            Text(sparkline(history.get(server.address, []), greatest, unicode=unicode), "cyan"),
        )
    if rest := servers[len(shown) :]:
        active, inactive = sum(s.active for _, s in rest), sum(s.inactive for _, s in rest)
        more = _told(occupancy, [server.address for _, server in rest])
        name = Text(f"{len(rest)} more", "dim")
        table.add_row("", name, "", str(active), *more, str(inactive), "")
    return table


def _told(occupancy: Mapping[str, ServerOccupancy], addresses: Sequence[str]) -> tuple[str, ...]:
    """Busy workers and waiting requests of these servers together; none where nobody tells."""
    if not occupancy:
        return ()
    found = [occupancy[address] for address in addresses if address in occupancy]
    if not found:
        return "", ""
    return str(sum(one.busy for one in found)), str(sum(one.queued for one in found))


def _classes(classes: Sequence[LiveClass]) -> Table:
    table = _table("class", "requests", "failed", "in flight")
    for one in classes:
        table.add_row(
            Text(one.name),
            Text(str(one.requests), "bold"),
            Text(str(one.failures), "bold red" if one.failures else ""),
            str(one.inflight),
        )
    return table


def sparkline(values: Sequence[int], greatest: int, *, unicode: bool = True) -> str:
    """Show values as bars of one character. A value above zero is never blank."""
    marks = _SPARKS if unicode else _ASCII_SPARKS
    top = len(marks) - 1
    return "".join(
        marks[-(-value * top // greatest)] if value > 0 else marks[0] for value in values
    )
