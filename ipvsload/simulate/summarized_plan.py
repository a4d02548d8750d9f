"""What of a scenario can be simulated without a record of single requests; the rest is refused.

Such a simulation is quick because nothing has to be looked up in it: each connection is one
request to servers that stay as they are. What a scenario asks for beyond that is said in its
own words, before anything is simulated.
"""

from collections.abc import Iterator, Sequence

from ipvsload.errors import UsageError
from ipvsload.scenario import tree
from ipvsload.scenario.actions.start import Start
from ipvsload.scenario.actions.stop import Stop
from ipvsload.scenario.actions.wait import Wait
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.model import Scenario, Step
from ipvsload.scenario.variant import Variant

_OF_SINGLE = ("latency_", "queue_p")
"""Measures whose figures are kept for each class and not for each server."""


def refuse_what_needs_a_record(scenario: Scenario, variants: Sequence[Variant]) -> None:
    """Raise UsageError where a scenario has what `--summary` cannot do, with all that it has."""
    found = list(
        dict.fromkeys(
            (*_of_service(scenario), *_of_variants(variants), *_of_traffic(scenario),
             *_of_steps(scenario), *_of_conditions(scenario))
        )
    )  # fmt: skip
    if found:
        raise UsageError(
            f"--summary keeps no single request, and cannot do this of {scenario.name}: "
            f"{'; '.join(found)}. Simulate it without --summary"
        )


def awaits_done(step: Step) -> tuple[str, ...] | None:
    """The classes that a step waits for, () for all of them; None where it waits for no such."""
    if not isinstance(step.awaited, Condition):
        return None
    root = step.awaited.root
    reads = [root] if isinstance(root, tree.Read) else []
    if isinstance(root, tree.And) and all(isinstance(part, tree.Read) for part in root.parts):
        reads = [part for part in root.parts if isinstance(part, tree.Read)]
    if not reads or any(read.measure.name != "done" for read in reads):
        return None
    names = tuple(read.measure.class_ for read in reads)
    return () if None in names else tuple(name for name in names if name is not None)


def _of_service(scenario: Scenario) -> Iterator[str]:
    service = scenario.service
    if service.capacity and service.capacity.overflow == "refuse":
        yield "capacity: overflow: refuse"
    if isinstance(service.source_ports, int):
        yield f"source-ports: {service.source_ports}"


def _of_variants(variants: Sequence[Variant]) -> Iterator[str]:
    for one in variants:
        if one.persistence is not None:
            yield f"persistence: {one.persistence}s"
        if one.sysctls:
            yield f"sysctls: {', '.join(one.sysctls)}"
        if one.timeouts.in_seconds():
            yield "timeouts"


def _of_traffic(scenario: Scenario) -> Iterator[str]:
    for name, spec in scenario.traffic.items():
        if spec.connection != "new":
            yield f"connection: keep-alive (of {name})"
        if spec.trace is not None:
            yield f"arrivals of a file (of {name})"
        if spec.user_stages:
            yield f"users in stages (of {name})"


def _of_steps(scenario: Scenario) -> Iterator[str]:
    for number, step in enumerate(scenario.timeline, 1):
        if not isinstance(step.action, Start | Stop | Wait):
            yield f"step {number}, {step.action.describe()}"
        if isinstance(step.awaited, Condition) and awaits_done(step) is None:
            yield f"step {number}, until: {step.awaited}"


def _of_conditions(scenario: Scenario) -> Iterator[str]:
    for condition in scenario.stop_when:
        yield f"stop-when: {condition}"
    for section, conditions in scenario.conditions.items():
        for condition in conditions:
            for measure in condition.measures:
                if measure.server is not None and measure.name.startswith(_OF_SINGLE):
                    yield f"{section}: {condition} ({measure.name} of one server)"
