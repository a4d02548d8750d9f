"""What the model of the scheduler predicts for a run, beside what was measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PredictedServer:
    """What the model says of one real server: how many connections it would have got."""

    connections: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """How many of the scheduler's choices the model makes alike.

    Of all `connections`, `matched` have the server that the model chooses at that moment;
    `consistent` have one that it chooses in another order of events whose times cannot tell
    the order; `mismatched` have neither. With a `witness` packets gave the order.
    """

    connections: int
    matched: int
    consistent: int
    mismatched: int
    witness: bool
