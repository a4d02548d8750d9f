"""Start classes of traffic."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.strict import Names


class Start(Action):
    """Start this class of traffic, or these."""

    rank = 10
    on_page = False

    classes: Names

    def describe(self) -> str:
        return f"start {', '.join(self.classes)}"

    def plan(self, planned: PlannedState) -> None:
        for index, name, one in planned.named(self.classes):
            if one.running:
                planned.refuse(
                    f"class '{name}' may still be running; wait for done{{class={name}}} or "
                    "stop it before it is started again",
                    index,
                )
            else:
                one.start()

    def act(self, target: ActionTarget) -> None:
        for name in self.classes:
            target.start(name)
