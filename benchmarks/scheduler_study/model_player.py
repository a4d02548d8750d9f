"""A cell on the model: each scheduler under the same arrivals, block after block.

What happens between arrivals is `ipvsload/simulate/connection_stream.py`, as in `ipvsload simulate
--summary`. Each block has arrivals, work, and ways through the nodes of its own, and all schedulers
of a cell have those of the block.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.random_arrivals import Floats
from benchmarks.scheduler_study.study_cell import (
    HELD_COST,
    HELD_EACH,
    SPEEDS,
    WEIGHTS,
    WORKERS,
    Cell,
    Column,
    WorkKind,
)
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings
from ipvsload.simulate.connection_stream import ConnectionStream, Origin, ServerCapacity
from ipvsload.simulate.remembered_counts import RememberedCounts

SECOND_NS = 1_000_000_000
BEGINS_S, MEMORY_S = 120.0, 130.0
"""IPVS remembers a finished connection for 120 to 122 s. So first connections come for so long
that cost nothing, until tables are full. Each node begins at a time of its own in the seconds
before: what begins together is forgotten together, too, two minutes later, and all nodes would
choose the same pod again."""
WARM_WORKS, LONG_WARM_WORKS = 600, 1300
"""Mean works of real load before anything counts; at more than 0.9 queues settle slowly."""
MEASURED_WORKS = 8000
"""Mean works that are measured, divided by the number of pods: some 29,000 requests at 0.9."""
_ROUND = sum(WEIGHTS)
"""So many turns of each pod are whole rounds, of rr and of wrr."""
_SPREAD = 1.288
"""Of the logarithm of heavy-tailed work: its 99th percentile is 20 times its median."""
_FIRST_PORT, _LAST_PORT = 32768, 60999
_NEVER_S = 1_000_000
_SEED = 5495


class Measured(NamedTuple):
    """One scheduler in one block: times in the system in ms.

    `busiest`: what is asked of the pod that has most to do, as a part of its capacity.
    """

    p50: float
    p95: float
    p99: float
    busiest: float


_DRAWS: dict[WorkKind, Callable[[np.random.Generator, int], Floats]] = {
    "even": lambda chance, many: np.ones(many),
    "exponential": lambda chance, many: chance.exponential(1.0, many),
    "heavy-tailed": lambda chance, many: chance.lognormal(-(_SPREAD**2) / 2, _SPREAD, many),
}
"""Work whose mean is 1."""


class Block:
    """The arrivals of one block of a cell: the same for all of its schedulers."""

    def __init__(self, cell: Cell, number: int) -> None:
        self.cell, self._number = cell, number
        mean_s = cell.mean_ms / 1000 * cell.part_of_length
        settled = cell.start == "settled"
        begins_s = BEGINS_S * cell.part_of_length
        self._loaded_s = (begins_s + MEMORY_S * cell.part_of_length) * settled
        warm_works = WARM_WORKS if cell.load <= 0.9 else LONG_WARM_WORKS
        self._counted_s = self._loaded_s + warm_works * mean_s * settled
        self._measured_s = MEASURED_WORKS / cell.pods * mean_s
        chance = np.random.default_rng([_SEED, number, *repr(cell.key).encode()])
        whole_s = self._counted_s + self._measured_s
        many = chance.poisson(cell.rate * whole_s)
        at_s = np.sort(chance.uniform(0, whole_s, many))
        drawn = _DRAWS[cell.work](chance, many) * cell.mean_ms / 1000
        self._at_ns = (at_s * SECOND_NS).astype(np.int64)
        self._work_ns = np.maximum(drawn * (at_s >= self._loaded_s) * SECOND_NS, 1).astype(np.int64)
        self._kinds = (at_s < self._counted_s).astype(np.int64)
        """0 of what counts."""
        self._through = chance.integers(cell.nodes, size=many)
        self._ports = chance.integers(_FIRST_PORT, _LAST_PORT + 1, size=many)
        self._held_through = chance.integers(cell.nodes, size=HELD_EACH * cell.pods)
        self._earlier = chance.integers(_ROUND * cell.pods, size=cell.nodes)
        """How many turns each node has taken before, so that not all are at the same one."""
        begin_s = chance.uniform(0, begins_s * settled, cell.nodes)
        self._begun = at_s >= begin_s[self._through]

    def play(self, column: Column) -> Measured:
        """This block under a scheduler."""
        cell = self.cell
        draws = np.random.default_rng([_SEED, self._number, *column.label.encode()])
        tables = _tables(cell, column, draws.random)
        if cell.start == "settled" and not column.remembers:
            for table, earlier in zip(tables, self._earlier.tolist(), strict=True):
                for _ in range(earlier):
                    table.ended(_chosen(table, 0))
        speeds = _speeds(cell)
        if cell.held != "none":
            held = self._hold(tables)
            if cell.held.startswith("costly"):
                speeds = speeds * (1 - HELD_COST * held)
        loaded = self._at_ns >= self._loaded_s * SECOND_NS
        taken = self._begun if column.remembers else loaded
        stream = ConnectionStream(
            tables,
            ServerCapacity(WORKERS, speeds=() if (speeds == 1).all() else tuple(speeds.tolist())),
            classes=2,
            origin=self._origins(column, taken),
            look_ns=_NEVER_S * SECOND_NS,
        )
        columns = (self._at_ns, self._work_ns, self._kinds)
        stream.play(zip(*(one[taken].tolist() for one in columns), strict=True))
        figures = stream.figures[0]
        asked = figures.by_server / speeds * cell.mean_ms / 1000 / WORKERS / self._measured_s
        p50, p95, p99 = (figures.latency.percentile(part) or math.nan for part in (50, 95, 99))
        return Measured(p50 / 1e6, p95 / 1e6, p99 / 1e6, float(asked.max()))

    def _origins(self, column: Column, taken: NDArray[np.bool_]) -> Callable[[], Origin] | None:
        if column.hashes:
            return self._clients(taken).__next__
        if self.cell.nodes == 1:
            return None
        every = [Origin(Client("", 0), node) for node in range(self.cell.nodes)]
        return map(every.__getitem__, self._through[taken].tolist()).__next__

    def _clients(self, taken: NDArray[np.bool_]) -> Iterator[Origin]:
        """Each node's connections come from one address, and from any of its ports."""
        addresses = [f"10.0.{node // 250}.{node % 250 + 1}" for node in range(self.cell.nodes)]
        ways = zip(self._through[taken].tolist(), self._ports[taken].tolist(), strict=True)
        for node, port in ways:
            yield Origin(Client(addresses[node], port), node)

    def _hold(self, tables: list[RememberedCounts]) -> NDArray[np.int64]:
        """Open what stays open. Returns how many each pod has."""
        pods = self.cell.pods
        held = np.zeros(pods, np.int64)
        for number, node in enumerate(self._held_through.tolist()):
            table = tables[node]
            if self.cell.held.endswith("scale-out"):
                pod = number % (pods // 2)
                table.servers.active[table.servers.place(pod)] += 1
                table.rule.counted(pod)
            else:
                pod = _chosen(table, number)
            held[pod] += 1
        return held


def _chosen(table: RememberedCounts, port: int) -> int:
    pod = table.choose(Client("10.0.0.1", port))
    assert pod is not None
    return pod


def _tables(cell: Cell, column: Column, draw: Callable[[], float]) -> list[RememberedCounts]:
    weights = WEIGHTS if column.weighted else (1, 1)
    servers = [(f"198.51.100.{pod + 1}:80", weights[pod % 2]) for pod in range(cell.pods)]
    settings = RuleSettings("192.0.2.80", frozenset({"mh-port"}), draw=draw)
    # What no rule looks at need not be kept.
    remembered = 120 if column.remembers else _NEVER_S
    return [RememberedCounts(column.rule, settings, servers, remembered) for _ in range(cell.nodes)]


def _speeds(cell: Cell) -> Floats:
    speeds = SPEEDS if cell.pod_kind == "two speeds" else (1.0, 1.0)
    return np.array([speeds[pod % 2] for pod in range(cell.pods)])


def play(cell: Cell) -> Iterator[tuple[Column, int, Measured]]:
    """Every scheduler of the cell in each of its blocks."""
    for number in range(1, cell.blocks + 1):
        block = Block(cell, number)
        for column in cell.columns:
            if column.blocks is None or number <= column.blocks:
                yield column, number, block.play(column)
