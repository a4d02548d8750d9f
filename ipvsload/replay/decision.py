"""One decision of a scheduler, as the replay sees it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Verdict = Literal["matched", "consistent", "mismatched", "unexplained"]
"""`matched`: the model chooses the same server at that moment. `consistent`: it does in another
order of events whose times cannot tell the order. Else `mismatched` where the order of all packets
is known, and `unexplained` where it is not."""


class ServerState(NamedTuple):
    """A real server in the table at the moment of a decision, before the connection counts.

    `score` is what the rule compares, of which the least wins; None where it compares nothing.
    """

    address: str
    weight: int
    active: int
    inactive: int
    score: float | None


class PredictedChoice(NamedTuple):
    """Which server the model chooses for a connection, in the state that the kernel had.

    `t_us` is on the recording's clock; `predicted` is an address, None where there is none.
    """

    t_us: int
    client: str
    port: int
    predicted: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The scheduler gave a connection to a server.

    `index` counts the run's decisions from 0, over all its directors in the order of time;
    `t_us` is on the recording's clock. `traffic` is the connection's class; None where no
    request says it, as of a connection that warmed the path. `chosen` is None where the director
    had no server for it. `predicted` is None where the model has none, or where the rule leaves
    the choice to chance. `servers` are those in the table, in the order of joining. `director`
    counts from 1; 0 where there is only one. `by_rule` says whether the rule chose; otherwise
    the client's template of a persistent service did, or the entry of an earlier connection.
    """

    index: int
    t_us: int
    client: str
    port: int
    traffic: str | None
    chosen: str | None
    predicted: str | None
    verdict: Verdict
    servers: tuple[ServerState, ...]
    director: int = 0
    by_rule: bool = True
