"""Progress on the terminal while a run goes on: what the kernel's table shows now.

A frame is a pure function of a LiveState; who drives the run calls `update` as
often as it likes, and nothing is drawn more than ten times a second. No
thread. Where the output is no terminal there is one line a run.
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
    """One traffic class now; `inflight` are sent and not yet answered."""

    name: str
    requests: int
    failures: int
    inflight: int


@dataclass(frozen=True, slots=True)
class LiveState:
    """What a frame shows; `elapsed` is in seconds since the timeline began.

    `step` is the current step in words, `awaits` what it waits for and what was
    last seen of that; both may be empty.
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
    """Draws states in place on a terminal; elsewhere, prints a line a run."""

    def __init__(self, console: Console | None = None) -> None:
        """By default on standard error: standard output is for the results."""
        self._console = console or Console(stderr=True)
        self._live: Live | None = None
        self._drawn = float("-inf")
        self._history: dict[str, deque[int]] = {}
        self._fancy = "utf" in self._console.encoding.lower()

    @property
    def draws(self) -> bool:
        """Whether updates are shown at all, that is, it is a terminal."""
        return self._console.is_terminal

    def begin(self, scheduler: str, repeat: int, repeats: int) -> None:
        """A run begins."""
        self._history.clear()
        if not self.draws:
            of = f", repeat {repeat} of {repeats}" if repeats > 1 else ""
            self._console.print(plain(f"running {scheduler}{of}"), markup=False, highlight=False)
        elif self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()

    def due(self) -> bool:
        """Whether an update would be drawn now: whether a state is worth making."""
        return self._live is not None and time.monotonic() - self._drawn >= REFRESH_SECONDS

    def update(self, state: LiveState) -> None:
        """Draw a state, if the last one is old enough."""
        if self._live is None or not self.due():
            return
        self._drawn = time.monotonic()
        for server in state.servers:
            history = self._history.setdefault(server.address, deque(maxlen=SPARK_WIDTH))
            history.append(server.active)
        histories = {address: list(values) for address, values in self._history.items()}
        self._live.update(frame(state, histories, fancy=self._fancy), refresh=True)

    def close(self) -> None:
        """Leave the terminal as it was; calling it again does nothing."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def frame(state: LiveState, history: dict[str, list[int]], *, fancy: bool = True) -> RenderableType:
    """One picture of a state; `history` has each server's last ActiveConn, oldest first."""
    adapt: Callable[[str], str] = str if fancy else plain
    of = f" · repeat {state.repeat} of {state.repeats}" if state.repeats > 1 else ""
    head = Text.assemble(
        (adapt(state.scheduler), "bold"), (adapt(f"{of} · {state.elapsed:.1f} s"), "dim")
    )
    step = Text.assemble((adapt(state.step), "bold cyan"))
    if state.awaits:
        step.append(adapt(f"  {state.awaits}"), "dim")
    step.no_wrap, step.overflow = True, "ellipsis" if fancy else "crop"
    parts: list[RenderableType] = [head, step]
    if state.servers:
        parts.append(_servers(state.servers, history, fancy))
    if state.classes:
        parts.append(_classes(state.classes))
    return Group(*parts)


def _servers(servers: Sequence[LiveServer], history: dict[str, list[int]], fancy: bool) -> Table:
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
            Text(spark(history.get(server.address, []), greatest, fancy=fancy), "cyan"),
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


def spark(values: Sequence[int], greatest: int, *, fancy: bool = True) -> str:
    """Values as bars of one character; what is not zero is never blank."""
    marks = _SPARKS if fancy else _ASCII_SPARKS
    top = len(marks) - 1
    return "".join(
        marks[-(-value * top // greatest)] if value > 0 else marks[0] for value in values
    )
