"""What all runs of a session share."""

from dataclasses import dataclass, field
from typing import Any

from gevent.queue import SimpleQueue

from ipvsload.load.sources import Sources
from ipvsload.record.writer import RunWriter
from ipvsload.run.clock import Clock
from ipvsload.run.progress import Progress
from ipvsload.run.sidecar import Sidecar
from ipvsload.scenario.model import Scenario
from ipvsload.testbed.base import Testbed


@dataclass(frozen=True)
class Stage:
    """A testbed that is up, its sidecar, and where things are told and recorded.

    `inbox` brings samples, exceptions to raise in the run, and None, which says
    that something may have changed. `sources` is None where the load has no
    addresses of its own.
    """

    scenario: Scenario
    testbed: Testbed
    writer: RunWriter
    clock: Clock
    sidecar: Sidecar
    sources: Sources | None
    progress: Progress
    inbox: "SimpleQueue[Any]" = field(default_factory=SimpleQueue)
