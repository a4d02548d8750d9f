"""Who is told how a run goes on; the terminal implements it."""

from typing import Protocol

from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.timeline import Timeline
from ipvsload.record.events import Event


class Progress(Protocol):
    """Told often; draws as seldom as it likes."""

    def begin(self, scheduler: str, repeat: int, repeats: int) -> None:
        """A run begins."""

    def happened(self, event: Event) -> None:
        """This was just recorded."""

    def update(self, state: RunState, timeline: Timeline) -> None:
        """Something may have changed."""

    def close(self) -> None:
        """Nothing more will come."""
