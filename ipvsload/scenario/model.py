"""What a scenario file says, as types.

Everything after the loader works on these models; nothing after it sees a
dict. Cross-checks that need the whole file (a step that names no class, a wait
that cannot come true) are in check.py, where the file's positions are known.
Times are seconds.
"""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ipvsload.scenario.duration import Duration
from ipvsload.scenario.expression import Condition

Scheduler = Literal[
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"
]
SCHEDULERS: tuple[str, ...] = get_args(Scheduler)
MAX_SERVERS = 1000
MAX_USERS = 10_000
MAX_WEIGHT = 65_535

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
ServerNumber = Annotated[int, Field(ge=1, le=MAX_SERVERS)]
Weight = Annotated[int, Field(ge=0, le=MAX_WEIGHT)]


class Strict(BaseModel):
    """Unknown keys and silent conversions are errors; a model never changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Service(Strict):
    """The virtual service as a run begins."""

    servers: Annotated[int, Field(ge=1, le=MAX_SERVERS)] = 2
    weights: tuple[Weight, ...] = ()
    """One weight a server, in the order of joining; empty means 1 each."""
    clients: Annotated[int, Field(ge=1, le=100)] = 1
    """Source addresses that the load comes from (sh and mh hash them)."""


class Traffic(Strict):
    """A named class of traffic: closed with `users`, open with `rate`."""

    request: Annotated[str, Field(pattern=r"^GET /[!-~]*$")] = "GET /ip"
    users: Annotated[int, Field(ge=1, le=MAX_USERS)] | None = None
    """Closed workload: this many users, each waiting for its answer."""
    rate: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Open workload: arrivals per second, whatever the answers do."""
    requests: Annotated[int, Field(ge=1)] | None = None
    """End after this many requests over all users."""
    duration: Duration | None = None
    """End after this long, in seconds."""
    think: Duration = 0.0
    """Pause of a user between an answer and its next request, in seconds."""
    connection: Literal["new", "keep-alive"] = "new"
    timeout: Duration = 60.0
    """A request without a whole answer by then has failed, in seconds."""

    @property
    def path(self) -> str:
        """The request's target, without its method."""
        return self.request.removeprefix("GET ")


class Reweigh(Strict):
    """A real server's new weight; 0 drains it."""

    server: ServerNumber
    weight: Weight


class Step(Strict):
    """One step: one action, then possibly a wait for an event.

    Exactly one of the action fields is set. `wait` is itself the wait; other
    actions may carry `until`.
    """

    start: Name | tuple[Name, ...] | None = None
    stop: Name | tuple[Name, ...] | None = None
    scale: Annotated[int, Field(ge=1, le=MAX_SERVERS)] | None = None
    """Have this many servers: new ones join, or the newest leave."""
    reweigh: Reweigh | None = None
    remove: ServerNumber | None = None
    kill: ServerNumber | None = None
    """The server's process dies; its entry in the kernel's table stays."""
    wait: Duration | Condition | None = None
    until: Condition | None = None
    within: Duration = 30.0
    """Deadline of the wait, in seconds."""


class Scenario(Strict):
    """A whole scenario file."""

    name: Name
    title: Annotated[str, Field(max_length=200)] = ""
    schedulers: Annotated[tuple[Scheduler, ...], Field(min_length=1)]
    service: Service = Service()
    traffic: Annotated[dict[Name, Traffic], Field(min_length=1)]
    timeline: Annotated[tuple[Step, ...], Field(min_length=1)]
    expect: dict[Scheduler | Literal["all", "compare"], tuple[Condition, ...]] = {}
    """Expectations of each run: under `all`, or under one scheduler's name.

    Those under `compare` set schedulers side by side, over the medians of the
    repeats, and name them with the selector `scheduler=`.
    """
