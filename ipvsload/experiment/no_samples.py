"""A run's samples where nothing reads the kernel's table: there are none."""

from collections.abc import Mapping
from types import MappingProxyType

from ipvsload.experiment.clock import Follower
from ipvsload.record.clock_alignment import Alignment
from ipvsload.record.sidecar_stream import Settings
from ipvsload.testbed.base import Target


class NoSamples:
    """See `run_context.SampleSource`. Such a run has requests, and times on one clock."""

    hz = 0.0
    settings: Mapping[str, Settings] = MappingProxyType({})

    tells_connections = False

    def follow(
        self, run: int, key: str, follower: Follower | None, listed: Target | None = None
    ) -> None:
        """There is nothing to hand on."""

    def look(self, *, connections: bool = False) -> None:
        """There is nothing to look at."""

    def align(self) -> dict[str, Alignment]:
        """No node has a clock of its own."""
        return {}
