"""All runs of `ipvsload simulate`: the engine of runs on a virtual clock, over the model."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from signal import SIGINT, SIGTERM, signal
from types import FrameType, MappingProxyType

from ipvsload.experiment.progress import Progress
from ipvsload.experiment.run_context import RunContext
from ipvsload.experiment.session import StoppedError, play
from ipvsload.experiment.stopping_rule import StoppingRule
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.servers_needed import servers_needed
from ipvsload.scenario.variant import Variant
from ipvsload.simulate.model_load import ModelLoad
from ipvsload.simulate.model_samples import ModelOccupancy, ModelSamples
from ipvsload.simulate.model_testbed import ModelTestbed
from ipvsload.simulate.virtual_time import VirtualTime
from ipvsload.testbed.lab.topology import Topology

_HZ = 10.0
"""Samples of the tables a second, as a real run has them ..."""
_LEAST_HZ = 2.0
"""... but fewer where tables are long: a run with a second between two does not count."""
_ROWS_A_SECOND = 4_000


def model_testbed(scenario: Scenario) -> ModelTestbed:
    """The model that a scenario needs, at the beginning of time."""
    return ModelTestbed(model_topology(scenario), VirtualTime())


def model_topology(scenario: Scenario) -> Topology:
    """The addresses and ports that a lab would have for it."""
    service = scenario.service
    return Topology(
        servers_needed(scenario),
        service.clients,
        service.directors,
        service.spread,
        scenario.seed,
        source_ports=service.source_ports,
        family=service.family,
    )


def play_model(
    scenario: Scenario,
    testbed: ModelTestbed,
    writer: RunWriter,
    variants: Sequence[Variant],
    repeats: int,
    rule: StoppingRule | None = None,
    progress: Progress | None = None,
    apart: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Play them; see `session.play`. Ctrl-C ends the present run as it ends a real one.

    `apart` names columns with arrivals of their own, as `RunContext` does.
    """
    time = testbed.time
    rows = testbed.max_real_servers * scenario.service.directors
    hz = min(_HZ, max(_LEAST_HZ, _ROWS_A_SECOND / rows))
    occupancy = ModelOccupancy(testbed, hz) if scenario.service.capacity else None
    context = RunContext(
        scenario,
        testbed,
        writer,
        time,
        time,
        ModelSamples(testbed, hz),
        partial(ModelLoad, testbed),
        progress or Progress(),
        occupancy,
        apart,
    )
    with _signals_told(time):
        play(context, variants, repeats, rule)


@contextmanager
def _signals_told(time: VirtualTime) -> Iterator[None]:
    """Tell of Ctrl-C and SIGTERM, instead of raising KeyboardInterrupt just anywhere.

    A second one does raise it: whoever presses it again wants no record.
    """
    told = False

    def tell(_number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if told:
            raise KeyboardInterrupt
        told = True
        time.put(StoppedError())

    before = {number: signal(number, tell) for number in (SIGINT, SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)
