"""One run's events, written as they happen."""

from ipvsload.experiment.clock import Clock
from ipvsload.experiment.progress import Progress
from ipvsload.record.clock_alignment import Alignment
from ipvsload.record.events import ClockAligned, Event, RunInvalid
from ipvsload.record.writer import RunWriter


class RunRecorder:
    """Records events of run `number` and tells `progress` of them."""

    def __init__(self, number: int, clock: Clock, writer: RunWriter, progress: Progress) -> None:
        self._number = number
        self._clock = clock
        self._writer = writer
        self._progress = progress

    def now(self) -> tuple[int, int]:
        """The run's number and the time in µs: what each event begins with."""
        return self._number, self._clock.now_us()

    def record(self, event: Event) -> None:
        """Write the event; it is in the file on return."""
        self._writer.event(event)
        self._progress.happened(event)

    def invalid(self, reason: str) -> None:
        """The run does not count, for this reason; it goes on."""
        self.record(RunInvalid(*self.now(), reason))

    def clock_aligned(self, node: str, clock: Alignment) -> int:
        """A node's clock was measured; returns how far the result may be wrong, in µs."""
        uncertainty_us = -(-clock.uncertainty_ns // 1000)
        offset_us = clock.offset_ns // 1000
        self.record(ClockAligned(*self.now(), node, offset_us, uncertainty_us))
        return uncertainty_us
