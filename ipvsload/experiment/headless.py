"""All runs of `ipvsload run`: from a testbed that is starting to its last run.

The load is made in this process, by users of a Locust runner without a page.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from ipvsload.experiment.gevent_inbox import GeventInbox
from ipvsload.experiment.interruptions import failure_watcher, signals_told
from ipvsload.experiment.monotonic_clock import MonotonicClock
from ipvsload.experiment.no_samples import NoSamples
from ipvsload.experiment.occupancy_reader import OccupancyReader
from ipvsload.experiment.progress import Progress
from ipvsload.experiment.run_context import RunContext, SampleSource
from ipvsload.experiment.session import play, recorded
from ipvsload.experiment.sidecar_reader import SidecarReader
from ipvsload.experiment.stopping_rule import StoppingRule
from ipvsload.load.locust_load import LocustLoad
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.variant import Variant
from ipvsload.testbed.base import Testbed
from ipvsload.testbed.lab.broker_client import lab_sockets


def play_headless(
    scenario: Scenario,
    testbed: Testbed,
    writer: RunWriter,
    clock: MonotonicClock,
    hz: float,
    variants: Sequence[Variant],
    repeats: int,
    progress: Progress,
    rule: StoppingRule | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Wait until the testbed is ready, and play; see `session.play`.

    `meanwhile` is called once, while the sidecar starts.
    """
    with ExitStack() as stack:
        with recorded(writer, clock):
            # During this, Ctrl-C raises KeyboardInterrupt.
            testbed.wait_ready()
            samples: SampleSource = NoSamples()
            if testbed.has_samples:
                told = testbed.open_samples(hz)
                meanwhile()
                samples = sidecar = SidecarReader(told, clock)
                stack.callback(sidecar.close)
            occupancy = None
            if pipe := testbed.open_occupancy(hz):
                occupancy = OccupancyReader(pipe, clock)
                stack.callback(occupancy.close)
            sockets = lab_sockets(testbed.socket_broker)
        if sockets:
            stack.callback(sockets.close)
        inbox = GeventInbox(clock)

        def make_load(*run: Any) -> LocustLoad:
            if sockets:
                sockets.begin_run()
            return LocustLoad(*run, sockets=sockets)

        stack.enter_context(signals_told(inbox.put))
        stack.callback(failure_watcher(testbed, inbox.put).kill)
        context = RunContext(
            scenario, testbed, writer, clock, inbox, samples, make_load, progress, occupancy
        )
        play(context, variants, repeats, rule)
