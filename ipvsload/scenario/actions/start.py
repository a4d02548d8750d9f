"""Start classes of traffic."""

from ipvsload.scenario.actions.base import Action, ActionTarget, unknown_class
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import Names


class Start(Action):
    """Start these classes; one that may still be running cannot be started again."""

    key = "start"
    rank = 10
    meaning = "Start this class of traffic, or these."
    in_scenarios = True

    classes: Names

    def describe(self) -> str:
        return f"start {', '.join(self.classes)}"

    def plan(self, planned: PlannedState, loc: Loc) -> list[Fault]:
        faults = []
        for index, name in enumerate(self.classes):
            one = planned.classes.get(name)
            if one is None:
                faults.append(unknown_class(name, planned, (*loc, index)))
            elif one.running:
                text = (
                    f"class '{name}' may still be running; wait for done{{class={name}}} or "
                    "stop it before it is started again"
                )
                faults.append(Fault((*loc, index), text))
            else:
                one.start()
        return faults

    def act(self, target: ActionTarget) -> None:
        for name in self.classes:
            target.start(name)
