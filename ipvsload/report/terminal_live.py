"""Progress on the terminal while a run goes on: what the kernel's table shows now.

A frame is a pure function of a LiveState. `update` may be called as often as the caller
likes; it draws ten times a second at most and needs no thread. Where the output is not a
terminal, each run is one line.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ipvsload.report.wording import plain

REFRESH_SECONDS = 0.1
SPARK_WIDTH = 24
SHOWN_SERVERS = 10
_SPARKS = " ▁▂▃▄▅▆▇█"
_ASCII_SPARKS = " .:-=+*#%"

_RIGHT = ("weight", "active", "inactive", "requests", "failed", "in flight")


@dataclass(frozen=True, slots=True)
class LiveServer:
    """One real server in the kernel's table now."""

    number: int
    address: str
    weight: int
    active: int
    inactive: int


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
    that was last seen. Both may be empty.
    """

    scheduler: str
    repeat: int
    repeats: int
    elapsed: float
    step: str = ""
    awaits: str = ""
    servers: Sequence[LiveServer] = ()
    classes: Sequence[LiveClass] = ()


class Display:
    """Draws states in place on a terminal. Elsewhere it prints one line for each run."""

    def __init__(self, console: Console | None = None) -> None:
        """By default on standard error: standard output is for the results."""
        self._console = console or Console(stderr=True)
        self._live: Live | None = None
        self._drawn = float("-inf")
        self._history: dict[str, deque[int]] = {}
        self._unicode = "utf" in self._console.encoding.lower()

    @property
    def draws(self) -> bool:
        """Whether the output is a terminal, so that updates are shown."""
        return self._console.is_terminal

    def begin(self, scheduler: str, repeat: int, repeats: int) -> None:
        """Show that a run begins."""
        self._history.clear()
        if not self.draws:
            of = f", repeat {repeat} of {repeats}" if repeats > 1 else ""
            self._console.print(plain(f"running {scheduler}{of}"), markup=False, highlight=False)
        elif self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()

    def due(self) -> bool:
        """Whether `update` would draw now. If not, the caller need not make a state."""
        return self._live is not None and time.monotonic() - self._drawn >= REFRESH_SECONDS

    def update(self, state: LiveState) -> None:
        """Draw a state, unless the last one was drawn just now."""
        if self._live is None or not self.due():
            return
        self._drawn = time.monotonic()
        for server in state.servers:
            history = self._history.setdefault(server.address, deque(maxlen=SPARK_WIDTH))
            history.append(server.active)
        histories = {address: list(values) for address, values in self._history.items()}
        self._live.update(frame(state, histories, unicode=self._unicode), refresh=True)

    def close(self) -> None:
        """Leave the terminal as it was. A second call does nothing."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def frame(
    state: LiveState, history: dict[str, list[int]], *, unicode: bool = True
) -> RenderableType:
    """Make the picture of a state. `history` has each server's last ActiveConn, oldest first."""
    adapt: Callable[[str], str] = str if unicode else plain
    of = f" · repeat {state.repeat} of {state.repeats}" if state.repeats > 1 else ""
    head = Text.assemble(
        (adapt(state.scheduler), "bold"), (adapt(f"{of} · {state.elapsed:.1f} s"), "dim")
    )
    step = Text.assemble((adapt(state.step), "bold cyan"))
    if state.awaits:
        step.append(adapt(f"  {state.awaits}"), "dim")
    step.no_wrap, step.overflow = True, "ellipsis" if unicode else "crop"
    parts: list[RenderableType] = [head, step]
    if state.servers:
        parts.append(_servers(state.servers, history, unicode))
    if state.classes:
        parts.append(_classes(state.classes))
    return Group(*parts)


def _servers(servers: Sequence[LiveServer], history: dict[str, list[int]], unicode: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for header in ("server", "", "weight", "active", "inactive", ""):
        table.add_column(header, justify="right" if header in _RIGHT else "left", no_wrap=True)
    shown = servers if len(servers) <= SHOWN_SERVERS else servers[: SHOWN_SERVERS - 1]
    greatest = max((max(history.get(s.address, [0])) for s in servers), default=0)
    for server in shown:
        table.add_row(
            Text(str(server.number)),
            Text(server.address, "dim"),
            Text(str(server.weight)),
            Text(str(server.active), "bold"),
            Text(str(server.inactive)),
            Text(sparkline(history.get(server.address, []), greatest, unicode=unicode), "cyan"),
        )
    if len(shown) < len(servers):
        rest = servers[len(shown) :]
        table.add_row(
            "",
            Text(f"{len(rest)} more", "dim"),
            "",
            Text(str(sum(s.active for s in rest))),
            Text(str(sum(s.inactive for s in rest))),
            "",
        )
    return table


def _classes(classes: Sequence[LiveClass]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for header in ("class", "requests", "failed", "in flight"):
        table.add_column(header, justify="right" if header in _RIGHT else "left", no_wrap=True)
    for one in classes:
        table.add_row(
            Text(one.name),
            Text(str(one.requests), "bold"),
            Text(str(one.failures), "bold red" if one.failures else ""),
            Text(str(one.inflight)),
        )
    return table


def sparkline(values: Sequence[int], greatest: int, *, unicode: bool = True) -> str:
    """Show values as bars of one character. A value above zero is never blank."""
    marks = _SPARKS if unicode else _ASCII_SPARKS
    top = len(marks) - 1
    return "".join(
        marks[-(-value * top // greatest)] if value > 0 else marks[0] for value in values
    )
