"""A scenario with more servers or directors than its file says, and as much more load.

For models: no file can ask for ten thousand servers, because no lab has them.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from ipvsload.errors import UsageError
from ipvsload.scenario.check import check
from ipvsload.scenario.model import Scenario, Traffic
from ipvsload.scenario.names import MAX_CLIENTS
from ipvsload.scenario.service import Service
from ipvsload.scenario.stages import Stage

_One = TypeVar("_One")


@dataclass(frozen=True)
class ScaledBy:
    """How a scenario is to be changed; None leaves that as it is."""

    servers: int | None = None
    directors: int | None = None
    seed: int | None = None

    @property
    def options(self) -> str:
        """The options that change it so: "--servers 100"; "" where nothing is changed."""
        asked = {"--servers": self.servers, "--directors": self.directors, "--seed": self.seed}
        return " ".join(f"{name} {value}" for name, value in asked.items() if value is not None)

    @property
    def notes(self) -> tuple[str, ...]:
        """That a scenario was changed so, for people; none where nothing is changed."""
        told = self.options
        return (f"simulated with {told}, not as the file says",) if told else ()


def scaled(scenario: Scenario, scale: ScaledBy) -> Scenario:
    """The scenario with so many servers and directors, and with this seed.

    What is sent is multiplied as servers are: rates, users, requests and, as long as
    there are addresses, clients. Raises UsageError where the scenario cannot be changed so.
    """
    if scale.seed is not None:
        scenario = scenario.model_copy(update={"seed": scale.seed})
    service = scenario.service
    if scale.directors is not None:
        service = service.model_copy(update={"directors": scale.directors})
    traffic = scenario.traffic
    if scale.servers is not None and scale.servers != service.servers:
        factor = scale.servers / service.servers
        service = _wider(service, scale.servers)
        traffic = {name: _more(name, spec, factor) for name, spec in traffic.items()}
        for step in scenario.timeline:
            if step.scale is not None:
                raise UsageError(
                    f"--servers {scale.servers}: the timeline has `{step.action.describe()}`: how"
                    " many servers there are then, the scenario itself says"
                )
    changed: Scenario = scenario.model_copy(update={"service": service, "traffic": traffic})
    if scale.servers is not None and (faults := check(changed)):
        raise UsageError(f"--servers {scale.servers}: {faults[0].text}")
    return changed


def _wider(service: Service, servers: int) -> Service:
    changes: dict[str, Any] = {
        "servers": servers,
        "weights": _repeated("weights", service.weights, service.servers, servers),
        "clients": min(MAX_CLIENTS, max(1, round(service.clients * servers / service.servers))),
    }
    capacity = service.capacity
    if capacity is not None and len(capacity.speed) > 1:
        speed = _repeated("speed", capacity.speed, service.servers, servers)
        changes["capacity"] = capacity.model_copy(update={"speed": speed})
    return service.model_copy(update=changes)


def _repeated(key: str, values: tuple[_One, ...], servers: int, wanted: int) -> tuple[_One, ...]:
    """A list with one entry a server, as often as it takes."""
    if not values:
        return ()
    if wanted % servers:
        raise UsageError(
            f"--servers {wanted}: `{key}` has one entry for each of {servers} servers, and is"
            f" repeated: take a multiple of {servers}"
        )
    return values * (wanted // servers)


def _more(name: str, spec: Traffic, factor: float) -> Traffic:
    if spec.trace is not None:
        raise UsageError(
            f"--servers: the arrivals of {name} are those of a file, and cannot be multiplied"
        )
    changes: dict[str, Any] = {}
    if spec.requests is not None:
        changes["requests"] = max(1, round(spec.requests * factor))
    if isinstance(spec.rate, tuple):
        changes["rate"] = tuple(_level(stage, factor) for stage in spec.rate)
    elif spec.rate is not None:
        changes["rate"] = spec.rate * factor
    if isinstance(spec.users, tuple):
        changes["users"] = tuple(_level(stage, factor) for stage in spec.users)
    elif spec.users is not None:
        changes["users"] = max(1, round(spec.users * factor))
    return spec.model_copy(update=changes)


def _level(stage: Stage, factor: float) -> Stage:
    return Stage(stage.start * factor, stage.end * factor, stage.over)
