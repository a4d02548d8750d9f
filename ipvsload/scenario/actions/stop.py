"""Stop classes of traffic."""

from ipvsload.scenario.actions.base import Action, ActionTarget, plan_classes
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.planned_state import PlannedClass, PlannedState
from ipvsload.scenario.strict import Names


class Stop(Action):
    """Stop these classes; one that is not running cannot be stopped."""

    key = "stop"
    rank = 20
    meaning = "Send nothing new of this class; what is in flight is still waited for."
    in_scenarios = True

    classes: Names

    def describe(self) -> str:
        return f"stop {', '.join(self.classes)}"

    def plan(self, planned: PlannedState, loc: Loc) -> list[Fault]:
        return plan_classes(self.classes, planned, loc, _stop)

    def act(self, target: ActionTarget) -> None:
        for name in self.classes:
            target.stop(name)


def _stop(name: str, one: PlannedClass) -> str | None:
    if not one.running:
        why = "is stopped or done already" if one.starts else "has not been started"
        return f"class '{name}' {why}; this stops nothing"
    one.stopped = True
    return None
