"""What can be measured: one table from which checks, messages and docs are made.

A measure is live (a wait reads it while the load runs), final (an expectation
reads it when the run is over), or both.
"""

from dataclasses import dataclass
from typing import Literal

Selector = Literal["class", "server", "scheduler"]
SELECTORS: tuple[Selector, ...] = ("class", "server", "scheduler")
Unit = Literal["number", "fraction", "ms", "s", "1/s", "truth"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row: a measure's name and meaning, and where it may stand.

    `live` and `final` are the selectors that it takes in a wait and in an
    expectation; None means that it has no place there. Expectations under
    `compare` take `scheduler` besides. `needs` must be given.
    """

    name: str
    unit: Unit
    meaning: str
    live: tuple[Selector, ...] | None = None
    final: tuple[Selector, ...] | None = None
    needs: tuple[Selector, ...] = ()

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Every selector that it takes anywhere."""
        taken = {*(self.live or ()), *(self.final or ())}
        if self.final is not None:
            taken.add("scheduler")
        return tuple(selector for selector in SELECTORS if selector in taken)


def _latency(which: str, meaning: str) -> Kind:
    return Kind(f"latency_{which}", "ms", meaning, final=("class", "server"))


_ROWS = (
    Kind("active", "number", "active connections in the kernel's table now", live=("server",)),
    Kind("inactive", "number", "inactive connections in the kernel's table now", live=("server",)),
    Kind(
        "conns",
        "number",
        "connections that the kernel has scheduled since the run began",
        live=("server",),
        final=("server",),
    ),
    Kind("weight", "number", "weight in the kernel's table now", live=("server",)),
    Kind("servers", "number", "real servers in the kernel's table now", live=()),
    Kind(
        "requests",
        "number",
        "finished requests, failed ones too",
        live=("class",),
        final=("class", "server"),
    ),
    Kind(
        "failures",
        "number",
        "requests without a whole answer or with a status of 400 and more",
        live=("class",),
        final=("class", "server"),
    ),
    Kind("inflight", "number", "requests sent and not yet answered", live=("class",)),
    Kind("users", "number", "users that are running now", live=("class",)),
    Kind(
        "done",
        "truth",
        "the class has ended and no request of it is in flight; without a class: "
        "every class that was started",
        live=("class",),
    ),
    Kind("elapsed", "s", "time since the timeline began", live=()),
    Kind(
        "share",
        "fraction",
        "part of the class's requests that went to this server, 0 to 1",
        final=("class", "server"),
        needs=("class", "server"),
    ),
    Kind(
        "active_max",
        "number",
        "greatest number of active connections in any sample",
        final=("server",),
    ),
    Kind(
        "inactive_max",
        "number",
        "greatest number of inactive connections in any sample",
        final=("server",),
    ),
    _latency("p50", "latency that half of the requests did not exceed"),
    _latency("p90", "latency that 90 % of the requests did not exceed"),
    _latency("p95", "latency that 95 % of the requests did not exceed"),
    _latency("p99", "latency that 99 % of the requests did not exceed"),
    _latency("max", "greatest latency"),
    _latency("mean", "mean latency"),
    Kind(
        "rps",
        "1/s",
        "finished requests per second of the class's own active time",
        final=("class",),
        needs=("class",),
    ),
)

MEASURES: dict[str, Kind] = {row.name: row for row in _ROWS}
