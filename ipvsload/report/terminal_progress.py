"""From a run's state to what the terminal shows while it goes on (terminal_live.py draws)."""

from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.timeline import Timeline
from ipvsload.record.events import Event
from ipvsload.report.terminal_live import Display, LiveClass, LiveServer, LiveState
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Scenario


class TerminalProgress:
    """Shows the runs of `scenario` as they go on."""

    def __init__(self, scenario: Scenario, display: Display | None = None) -> None:
        self._classes = tuple(scenario.traffic)
        self._steps = len(scenario.timeline)
        self._display = display or Display()
        self._run = ("", 1, 1)

    def begin(self, scheduler: str, repeat: int, repeats: int) -> None:
        """Show that a run begins."""
        self._run = (scheduler, repeat, repeats)
        self._display.begin(scheduler, repeat, repeats)

    def happened(self, event: Event) -> None:
        """Do nothing: a frame shows the state and not single events."""

    def update(self, state: RunState, timeline: Timeline) -> None:
        """Draw the state, if it is time to. Cheap otherwise."""
        if self._display.due():
            self._display.update(self._state(state, timeline))

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._display.close()

    def _state(self, state: RunState, timeline: Timeline) -> LiveState:
        lookup = state.lookup(max(state.sample_us, state.began_us), 0)
        scheduler, repeat, repeats = self._run
        step, awaits = "", ""
        if timeline.current is not None:
            index, current = timeline.current
            step = f"step {index + 1} of {self._steps}: {current.describe()}"
            if isinstance(current.awaited, Condition):
                awaits = f"until {current.awaited}; now {current.awaited.describe(lookup)}"

        def count(name: str, what: str) -> int:
            return round(lookup(Measure(what, class_=name)) or 0)

        servers = [
            LiveServer(number, address, entry.weight, entry.active, entry.inactive)
            for number, address in enumerate(state.servers, 1)
            if (entry := state.in_table(address)) is not None
        ]
        classes = [
            LiveClass(
                name, count(name, "requests"), count(name, "failures"), count(name, "inflight")
            )
            for name in self._classes
        ]
        elapsed = max(0, state.sample_us - state.began_us) / 1e6 if state.began_us else 0.0
        return LiveState(scheduler, repeat, repeats, elapsed, step, awaits, servers, classes)
