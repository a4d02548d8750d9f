"""What a scenario file says, as types.

Everything after the loader works on these models; nothing after it sees a
dict. What one step or one class can tell by itself is checked here; what needs
the whole file (a step that names no class, a wait that cannot come true) is in
check.py. Times are seconds.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.duration import (
    PATTERN,
    Duration,
    PositiveDuration,
    looks_like_time,
    read_duration,
)
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.names import (
    MAX_SERVERS,
    MAX_USERS,
    MAX_WEIGHT,
    NAME_PATTERN,
    SchedulerName,
    Section,
)

__all__ = [
    "MAX_SERVERS",
    "MAX_USERS",
    "MAX_WEIGHT",
    "Action",
    "Reweigh",
    "Scenario",
    "Service",
    "Step",
    "Traffic",
]

Action = Literal["start", "stop", "scale", "reweigh", "remove", "kill", "wait"]
ACTIONS: tuple[Action, ...] = get_args(Action)
_NEEDS: dict[str, Capability] = {
    "scale": "scale",
    "remove": "scale",
    "reweigh": "weight",
    "kill": "kill",
}

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
ServerNumber = Annotated[int, Field(ge=1, le=MAX_SERVERS)]
Weight = Annotated[int, Field(ge=0, le=MAX_WEIGHT)]


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _awaited(value: object) -> float | Condition:
    if looks_like_time(value) and not isinstance(value, Condition):
        return read_duration(value)
    return Condition.validate(value)


# strict=False is for the sequence alone: YAML has lists, a frozen model tuples.
Names = Annotated[
    tuple[Name, ...],
    Field(min_length=1, strict=False),
    BeforeValidator(_one_or_many),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": NAME_PATTERN},
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "string", "pattern": NAME_PATTERN},
                },
            ]
        }
    ),
]
Conditions = Annotated[tuple[Condition, ...], Field(min_length=1, strict=False)]
Wait = Annotated[
    float | Condition,
    PlainValidator(_awaited),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": PATTERN},
                {"type": "string", "minLength": 1},
            ]
        }
    ),
]


def _refuse(key: str | None, reason: str) -> PydanticCustomError:
    """An error whose place is this key of the model, or the model itself."""
    return PydanticCustomError("model", "{reason}", {"reason": reason, "key": key})


class Strict(BaseModel):
    """Unknown keys and silent conversions are errors; a model never changes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


class Service(Strict):
    """The virtual service as a run begins."""

    servers: Annotated[int, Field(ge=1, le=MAX_SERVERS)] = 2
    """Real servers at the start; they are numbered from 1 in the order of joining."""
    weights: Annotated[tuple[Weight, ...], Field(strict=False)] = ()
    """One weight a server, in the order of joining; empty means 1 each."""
    clients: Annotated[int, Field(ge=1, le=100)] = 1
    """Source addresses that the load comes from (sh and mh hash them)."""


class Traffic(Strict):
    """A named class of traffic: closed with `users`, open with `rate`."""

    request: Annotated[str, Field(pattern=r"^GET /[!-~]*$", max_length=2000)] = "GET /ip"
    """What is asked for: GET and a path, such as "GET /delay/10"."""
    users: Annotated[int, Field(ge=1, le=MAX_USERS)] | None = None
    """Closed workload: this many users, each waiting for its answer."""
    rate: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Open workload: arrivals per second, whatever the answers do."""
    requests: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """End after this many requests over all users."""
    duration: PositiveDuration | None = None
    """End after this long: seconds, or a time such as 30s or 2m."""
    think: Duration = 0.0
    """Pause of a user between an answer and its next request."""
    connection: Literal["new", "keep-alive"] = "new"
    """A new connection for each request, or one that a user keeps."""
    timeout: PositiveDuration = 60.0
    """A request without a whole answer by then has failed."""

    @property
    def path(self) -> str:
        """The request's target, without its method."""
        return self.request.removeprefix("GET ")

    @property
    def endless(self) -> bool:
        """Whether only a `stop` ends it."""
        return self.requests is None and self.duration is None

    @model_validator(mode="after")
    def _workload(self) -> Self:
        if self.users is not None and self.rate is not None:
            raise _refuse(
                "rate",
                "'users' (a closed workload) and 'rate' (an open one) exclude each other; "
                "take one of them away",
            )
        if self.users is None and self.rate is None:
            raise _refuse(
                None, "a class needs 'users' (a closed workload) or 'rate' (arrivals per second)"
            )
        if self.rate is not None and "think" in self.model_fields_set:
            raise _refuse("think", "'think' is a user's pause, and this class has a rate")
        return self


class Reweigh(Strict):
    """A real server's new weight; 0 drains it."""

    server: ServerNumber
    """The server's number, in the order of joining."""
    weight: Weight
    """Its new weight; 0: no new connections, old ones are served."""


class Step(Strict):
    """One step: one action, then possibly a wait for an event.

    Exactly one of the action fields is set. `wait` is itself the wait; other
    actions may carry `until`.
    """

    start: Names | None = None
    """Start this class of traffic, or these."""
    stop: Names | None = None
    """Send nothing new of this class; what is in flight is still waited for."""
    scale: Annotated[int, Field(ge=1, le=MAX_SERVERS)] | None = None
    """Have this many servers: new ones join, or the newest leave."""
    reweigh: Reweigh | None = None
    """Give a server another weight; 0 drains it."""
    remove: ServerNumber | None = None
    """Take this server out of the kernel's table; the others keep their numbers."""
    kill: ServerNumber | None = None
    """The server's process dies; its entry in the kernel's table stays."""
    wait: Wait | None = None
    """Wait for a condition to hold, or for a time such as 5s to pass."""
    until: Condition | None = None
    """After the action, wait for this condition to hold."""
    within: PositiveDuration = 30.0
    """Deadline of the wait for a condition; missing it ends the run."""

    @property
    def action(self) -> Action:
        """The one action field that is set."""
        return self._actions()[0]

    @property
    def awaited(self) -> Condition | float | None:
        """What the step waits for: a condition, seconds to pass, or nothing."""
        return self.until if self.wait is None else self.wait

    def describe(self) -> str:
        """The action in words: "start long", "scale to 2", "server 1: weight 0"."""
        match self.action:
            case "start":
                return f"start {', '.join(self.start or ())}"
            case "stop":
                return f"stop {', '.join(self.stop or ())}"
            case "scale":
                return f"scale to {self.scale}"
            case "reweigh":
                change = self.reweigh
                return f"server {change.server}: weight {change.weight}" if change else ""
            case "remove":
                return f"remove server {self.remove}"
            case "kill":
                return f"kill server {self.kill}"
            case "wait":
                is_time = isinstance(self.wait, float)
                return f"wait {self.wait:g} s" if is_time else f"wait for {self.wait}"

    def _actions(self) -> list[Action]:
        return [action for action in ACTIONS if getattr(self, action) is not None]

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        actions = self._actions()
        names = ", ".join(ACTIONS[:-1]) + " or " + ACTIONS[-1]
        if not actions:
            raise _refuse(None, f"a step needs an action: {names}")
        if len(actions) > 1:
            raise _refuse(
                actions[1],
                f"a step has one action, and this has '{actions[0]}' and '{actions[1]}'; "
                "make it two steps",
            )
        if self.until is not None and self.wait is not None:
            raise _refuse("until", "'until' has no place beside 'wait'; join them with 'and'")
        if "within" in self.model_fields_set and self.awaited is None:
            raise _refuse("within", "'within' is the deadline of a wait, and this step has none")
        if (
            isinstance(self.wait, float)
            and "within" in self.model_fields_set
            and self.wait > self.within
        ):
            raise _refuse(
                "within",
                f"this wait lasts {self.wait:g} s, longer than its deadline of "
                f"{self.within:g} s; take 'within' away",
            )
        return self


class Scenario(Strict):
    """A load test of an IPVS virtual service: what is sent, what happens, what is expected."""

    name: Name
    """Short name: lower-case letters, digits, - and _."""
    title: Annotated[str, Field(max_length=200)] = ""
    """One line for the reports."""
    schedulers: Annotated[tuple[SchedulerName, ...], Field(min_length=1, strict=False)]
    """The scenario is run once for each of these IPVS schedulers."""
    service: Service = Service()
    """The virtual service as a run begins."""
    traffic: Annotated[dict[Name, Traffic], Field(min_length=1)]
    """Classes of traffic by name."""
    timeline: Annotated[tuple[Step, ...], Field(min_length=1, strict=False)]
    """What happens, in this order; each step waits for an event before the next begins."""
    expect: dict[Section, Conditions] = {}
    """Expectations of each run: under `all`, or under one scheduler's name.

    Those under `compare` set schedulers side by side, over the medians of the
    repeats, and name them with the selector `scheduler=`.
    """

    def needs(self) -> Iterator[tuple[Capability, str]]:
        """Each capability that it needs of a testbed, with the words that need it."""
        if any(weight != 1 for weight in self.service.weights):
            yield "weights", f"weights: {list(self.service.weights)}"
        if self.service.clients > 1:
            yield "clients", f"clients: {self.service.clients}"
        for step in self.timeline:
            if step.action in _NEEDS:
                yield _NEEDS[step.action], step.describe()
