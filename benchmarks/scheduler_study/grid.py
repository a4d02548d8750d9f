"""Which cells are played, and why not all combinations.

The main grid crosses what everybody has: how many nodes balance, the load, and the kind of work.
Each of the other parts changes one thing more, over fewer numbers of nodes and loads: a Service
that is new, connections that stay open, pods that are not alike, the length of requests, the
number of pods. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import get_args

from benchmarks.scheduler_study.study_cell import (
    RANDOM,
    Cell,
    Column,
    HeldKind,
    WorkKind,
)

BLOCKS = 16
"""With so many, 2 of 2^16 ways go all to one side: 1,600 tests can be corrected for."""
LOADS = (0.5, 0.7, 0.9, 0.95)
NODES = (1, 10, 100, 1000)
NODES_BETWEEN = (3, 30, 300)
MANY_NODES = (100, 1000)
WORKS: tuple[WorkKind, ...] = get_args(WorkKind)
PODS = ((4, 100), (4, 1000), (32, 100))
MEANS_MS = (300, 1000)
HELD: tuple[HeldKind, ...] = get_args(HeldKind)[1:]
FEW_LOADS = (0.5, 0.7, 0.9)

_RANDOM = Column(RANDOM, "random")
_USUAL = (
    _RANDOM,
    Column("rr", "rr"),
    Column("lc", "lc", remembers=True),
    Column("sed", "sed"),
)
_MORE = (
    Column("mh", "mh", hashes=True),
    Column("wlc", "wlc", remembers=True, blocks=1),
    Column("nq", "nq", blocks=1),
)
"""Where these stand: with equal weights wlc is lc and nq is sed, as one block shows, and mh is
nearly chance."""
_WEIGHTED = (
    Column("wrr 2:3", "wrr", weighted=True),
    Column("wlc 2:3", "wlc", remembers=True, weighted=True),
    Column("sed 2:3", "sed", weighted=True),
    Column("nq 2:3", "nq", weighted=True),
)


def grid() -> list[Cell]:
    """All cells, in the order in which they are played: what the first page needs comes first."""
    return [
        *_main((0.9, 0.7)),
        *_cold(),
        *_held(1, FEW_LOADS),
        *_unequal(1, FEW_LOADS),
        *_main((0.5,)),
        *_lengths(),
        *_main((0.95,)),
        *_held(100, (0.7,)),
        *_unequal(100, (0.7,)),
        *_more_nodes(),
        *_pods(),
    ]


def quick_grid() -> list[Cell]:
    """Some of them, much shorter: whether everything works, in seconds."""
    chosen = [one for one in _main((0.9,)) if one.nodes in (1, 10)]
    chosen += [*_held(1, (0.7,)), *_unequal(1, (0.7,))]
    return [replace(one, blocks=7, part_of_length=0.01) for one in chosen]


def _main(loads: Sequence[float]) -> Iterator[Cell]:
    for load in loads:
        for nodes in NODES:
            for work in WORKS:
                more = load == 0.9 and work == "exponential"
                yield Cell(nodes, load, work, _USUAL + _MORE * more, BLOCKS)


def _cold() -> Iterator[Cell]:
    for nodes in NODES:
        yield Cell(nodes, 0.9, "exponential", _USUAL, BLOCKS, start="cold")


def _held(nodes: int, loads: Sequence[float]) -> Iterator[Cell]:
    for held in HELD:
        for load in loads:
            yield Cell(nodes, load, "exponential", _USUAL, BLOCKS, held=held)


def _unequal(nodes: int, loads: Sequence[float]) -> Iterator[Cell]:
    columns = _USUAL + _WEIGHTED
    for load in loads:
        yield Cell(nodes, load, "exponential", columns, BLOCKS, pod_kind="two speeds")


def _lengths() -> Iterator[Cell]:
    for mean_ms in MEANS_MS:
        for nodes in MANY_NODES:
            yield Cell(nodes, 0.9, "exponential", _USUAL, BLOCKS, mean_ms=mean_ms)


def _pods() -> Iterator[Cell]:
    for pods, nodes in PODS:
        yield Cell(nodes, 0.9, "exponential", _USUAL, BLOCKS, pods=pods)


def _more_nodes() -> Iterator[Cell]:
    for nodes in NODES_BETWEEN:
        yield Cell(nodes, 0.9, "exponential", _USUAL, BLOCKS)
