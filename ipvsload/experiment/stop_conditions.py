"""When a run ends early: the conditions under `stop-when`, asked again and again.

Pure, like the timeline. A share of few requests says little: the first request that
fails is 100 % of all. So a condition that sets failures beside requests is asked only
when enough of these have finished.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ipvsload.experiment.run_state import RunState
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.tree import Lookup

LEAST_REQUESTS = 20
"""So many requests must have finished before a part of them can end a run."""
LOOK_US = 50_000
"""How often the conditions are asked even if nothing else happens."""


class HeldCondition(NamedTuple):
    """A condition that held; `seen` is what it compared, in words, `measured` as a number."""

    condition: Condition
    seen: str
    measured: float | None


class StopConditions:
    """The conditions of one run. Times are in µs on the recording's clock."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._conditions = conditions

    def held(self, state: RunState, now_us: int) -> HeldCondition | None:
        """The first that holds now; the kernel's counts may be of any moment of the run."""
        for condition in self._conditions:
            lookup = state.lookup(now_us, state.began_us)
            if _enough(condition, lookup):
                verdict = condition.evaluate(lookup)
                if verdict.held:
                    return HeldCondition(
                        condition, condition.describe_compared(lookup), verdict.measured
                    )
        return None

    def look_again_us(self, now_us: int, otherwise: int | None) -> int | None:
        """When to ask again; `otherwise` is when something else wants to be asked, or None."""
        if not self._conditions:
            return otherwise
        soon = now_us + LOOK_US
        return soon if otherwise is None else min(soon, otherwise)


def _enough(condition: Condition, lookup: Lookup) -> bool:
    """Whether the requests that failures are compared with are enough to say something."""
    names = {measure.name for measure in condition.measures}
    wholes = [m for m in condition.measures if m.name == "requests"]
    return "failures" not in names or all(
        (lookup(measure) or 0) >= LEAST_REQUESTS for measure in wholes
    )
