"""Stop classes of traffic."""

from ipvsload.scenario.actions.base import Action, ActionTarget, unknown_class
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.planned_state import PlannedState
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
        faults = []
        for index, name in enumerate(self.classes):
            one = planned.classes.get(name)
            if one is None:
                faults.append(unknown_class(name, planned, (*loc, index)))
            elif not one.running:
                why = "is stopped or done already" if one.starts else "has not been started"
                faults.append(Fault((*loc, index), f"class '{name}' {why}; this stops nothing"))
            else:
                one.stopped = True
        return faults

    def act(self, target: ActionTarget) -> None:
        for name in self.classes:
            target.stop(name)
