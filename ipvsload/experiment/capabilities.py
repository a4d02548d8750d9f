"""Whether a scenario can be played on a testbed, said before anything is touched. Pure."""

from collections.abc import Iterator, Mapping

from ipvsload.errors import UsageError
from ipvsload.scenario.model import Scenario
from ipvsload.testbed.base import Lack

_NEEDS: dict[str, Lack] = {
    "scale": "scale",
    "remove": "scale",
    "reweigh": "weight",
    "kill": "kill",
}


def fit(scenario: Scenario, lacks: Mapping[Lack, str]) -> None:
    """Raises UsageError for the first thing that the scenario wants and a testbed lacks."""
    for what, words in _wants(scenario):
        if what in lacks:
            raise UsageError(f"scenario {scenario.name} wants `{words}`: {lacks[what]}")


def _wants(scenario: Scenario) -> Iterator[tuple[Lack, str]]:
    service = scenario.service
    if any(weight != 1 for weight in service.weights):
        yield "weights", f"weights: {list(service.weights)}"
    if service.clients > 1:
        yield "clients", f"clients: {service.clients}"
    for step in scenario.timeline:
        if step.action in _NEEDS:
            yield _NEEDS[step.action], step.describe()
