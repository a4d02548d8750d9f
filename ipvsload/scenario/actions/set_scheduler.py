"""Change the virtual service's scheduler."""

from ipvsload.scenario.actions.base import Action, ActionTarget
from ipvsload.scenario.names import SchedulerName


class SetScheduler(Action):
    """Another scheduler, in place: connections and counters stay."""

    rank = 80
    needs = "scheduler"
    in_scenarios = False

    scheduler: SchedulerName

    def describe(self) -> str:
        return f"scheduler {self.scheduler}"

    def act(self, target: ActionTarget) -> None:
        target.set_scheduler(self.scheduler)
