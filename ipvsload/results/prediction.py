"""What the model of the scheduler predicts for a run, beside what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PredictedServer:
    """What the model says of one real server: how many connections it would have got."""

    connections: int


@dataclass(frozen=True, slots=True)
class ServerAtChoice:
    """A real server when a connection came, which is not counted yet.

    `score` is what the rule compares, of which the least wins; None where it compares nothing,
    or would not choose the server at all. `working` is how it is worked out: "256·3 + 12 = 780".
    """

    address: str
    weight: int
    active: int
    inactive: int
    score: float | None
    working: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A choice that is not the model's. `connection` counts a run's choices from 1.

    `at_us` is its time since the recording began; `traffic` the connection's class, None where
    no request of a class was sent on it. `chosen` and `predicted` are addresses, None where no
    server was to have it.
    """

    connection: int
    at_us: int
    client: str
    port: int
    traffic: str | None
    chosen: str | None
    predicted: str | None
    servers: tuple[ServerAtChoice, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """How many of the scheduler's choices the model makes alike.

    Of all `connections`, `matched` have the server that the model chooses at that moment;
    `consistent` have one that it chooses in another order of events whose times cannot tell
    the order; `mismatched` have neither. With a `witness` packets gave the order, which is certain
    where it is `exact`. Where it was `simulated`, the model itself chose, and no kernel. The first
    few that are not explained are in `mismatches`.
    """

    connections: int
    matched: int
    consistent: int
    mismatched: int
    witness: bool
    mismatches: tuple[Mismatch, ...] = ()
    exact: bool = True
    simulated: bool = False

    @property
    def certain(self) -> bool:
        """Whether the order of events is known, so that a choice unlike the model's is a fault."""
        return self.witness and self.exact

    @property
    def trivial(self) -> bool:
        """Whether it says no more than that the model agrees with itself."""
        return self.simulated and self.matched == self.connections


def together(found: Iterable[Prediction | None]) -> Prediction | None:
    """Those of several runs, added up; None where no run has one.

    There is a witness where all of them had one, and so on.
    """
    known = [one for one in found if one]
    if not known:
        return None
    return Prediction(
        connections=sum(one.connections for one in known),
        matched=sum(one.matched for one in known),
        consistent=sum(one.consistent for one in known),
        mismatched=sum(one.mismatched for one in known),
        witness=all(one.witness for one in known),
        exact=all(one.exact for one in known),
        simulated=all(one.simulated for one in known),
    )
