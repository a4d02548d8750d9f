"""Stop classes of traffic."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import Names


class Stop(Action):
    """Send nothing new of this class; what is in flight is still waited for."""

    rank = 20
    on_page = False

    classes: Names

    def describe(self) -> str:
        return f"stop {', '.join(self.classes)}"

    def plan(self, planned: PlannedState) -> None:
        for index, name, one in planned.named(self.classes):
            if one.running:
                one.stopped = True
            else:
                why = "is stopped or done already" if one.starts else "has not been started"
                planned.refuse(f"class '{name}' {why}; this stops nothing", index)

    def act(self, target: ActionTarget) -> None:
        for name in self.classes:
            target.stop(name)
