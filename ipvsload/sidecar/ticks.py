"""When the sidecar samples, and how often it was late."""


class Ticks:
    """When samples are due: `hz` times a second, on a grid that does not drift."""

    def __init__(self, hz: float, now: int) -> None:
        self.missed = 0
        self.due = now
        self._period = round(1e9 / hz)

    def served(self, now: int) -> None:
        """The tick that was due has been served; those that passed meanwhile are missed."""
        late = max(0, now - self.due) // self._period
        self.missed += late
        self.due += (late + 1) * self._period
