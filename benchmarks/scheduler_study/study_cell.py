"""One cell of the study's grid: a Service, its load, and the schedulers that are played in it.

A cell is what a reader looks up: so many nodes that balance, so many pods, so much load, this kind
of work. Pure.
"""

import hashlib
from dataclasses import astuple, dataclass
from typing import Literal, NamedTuple

WorkKind = Literal["even", "exponential", "heavy-tailed"]
"""How much the work of one request differs from that of another; grid.py has the reasons."""
PodKind = Literal["equal", "two speeds"]
HeldKind = Literal["none", "scale-out", "costly", "costly scale-out"]
"""Connections that stay open: none; free of cost, all on the older half of the pods; each takes a
part of its pod, spread by the scheduler itself; the same, but all on the older half."""
StartKind = Literal["settled", "cold"]
"""Measured after days, or from the first connection of a new Service on."""

WORKERS = 4
"""Requests that a pod works on at the same time."""
SPEEDS, WEIGHTS = (0.8, 1.2), (2, 3)
"""Of pods with two speeds, every other one; and the weights that are right for them."""
HELD_EACH = 20
"""Connections held open, a pod on the average."""
HELD_COST = 0.01
"""What part of its pod a costly one takes."""
RANDOM = "random"
"""The label of what replaces IPVS."""


class Column(NamedTuple):
    """A scheduler as it is played: `rule` is the model's.

    `remembers`: it looks at finished connections, which count for two minutes. `hashes`: it looks
    at where a connection comes from. `weighted`: pods have the weights that are right for them, and
    not 1 each. `blocks`: of so many only.
    """

    label: str
    rule: str
    remembers: bool = False
    hashes: bool = False
    weighted: bool = False
    blocks: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """`nodes` balance, each knowing its own connections only; work is `mean_ms` long on average.

    `load` is the part of all pods' capacity that is asked for, after what held connections take.
    """

    nodes: int
    load: float
    work: WorkKind
    columns: tuple[Column, ...]
    blocks: int
    pods: int = 10
    mean_ms: int = 100
    pod_kind: PodKind = "equal"
    held: HeldKind = "none"
    start: StartKind = "settled"
    part_of_length: float = 1.0
    """Less than 1 in a trial."""

    @property
    def key(self) -> tuple[object, ...]:
        """What a reader looks it up by, in the order of `KEYS`."""
        return tuple(getattr(self, key) for key in KEYS)

    @property
    def name(self) -> str:
        """That of its file; another one when anything of the cell is another."""
        told = "-".join(str(one).replace(" ", "_") for one in self.key)
        return f"{told}-{hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:8]}"

    @property
    def rate(self) -> float:
        """Requests a second, all together."""
        left = 1 - HELD_EACH * HELD_COST * self.held.startswith("costly")
        return self.load * left * self.pods * WORKERS * 1000 / self.mean_ms


KEYS = ("nodes", "load", "work", "pods", "mean_ms", "pod_kind", "held", "start")
