"""What all runs of a session share."""

from dataclasses import dataclass, field
from typing import Any

from gevent.queue import SimpleQueue

from ipvsload.experiment.clock import Clock
from ipvsload.experiment.progress import Progress
from ipvsload.experiment.sidecar_reader import Sidecar
from ipvsload.load.base import LoadMaker
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.model import Scenario
from ipvsload.testbed.base import Testbed


@dataclass(frozen=True)
class Stage:
    """A testbed that is up, its sidecar, and where things are told and recorded.

    `inbox` brings samples, exceptions to raise in the run, changes by hand, and
    None, which says that something may have changed.
    """

    scenario: Scenario
    testbed: Testbed
    writer: RunWriter
    clock: Clock
    sidecar: Sidecar
    make_load: LoadMaker
    progress: Progress
    inbox: "SimpleQueue[Any]" = field(default_factory=SimpleQueue)
