"""Start classes of traffic."""

from ipvsload.scenario.actions.base import Action, ActionTarget, plan_classes
from ipvsload.scenario.faults import Fault, Loc
from ipvsload.scenario.planned_state import PlannedClass, PlannedState
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
        return plan_classes(self.classes, planned, loc, _start)

    def act(self, target: ActionTarget) -> None:
        for name in self.classes:
            target.start(name)


def _start(name: str, one: PlannedClass) -> str | None:
    if one.running:
        return (
            f"class '{name}' may still be running; wait for done{{class={name}}} or "
            "stop it before it is started again"
        )
    one.start()
    return None
