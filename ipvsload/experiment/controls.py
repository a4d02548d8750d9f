"""What a person may change while load runs: the page's buttons, as types.

They come from a form, so they are validated like a scenario: strictly, with a
reason for whoever sent them.
"""

from typing import Annotated, Literal, Protocol

from pydantic import Field, TypeAdapter, ValidationError

from ipvsload.errors import UsageError
from ipvsload.scenario.model import ServerNumber, Strict, Weight
from ipvsload.scenario.names import MAX_SERVERS, SchedulerName

MAX_BURST = 2000


class SetScheduler(Strict):
    """Another scheduler, in place: connections and counters stay."""

    do: Literal["scheduler"]
    scheduler: SchedulerName


class SetWeight(Strict):
    """Another weight for a real server, by its number; 0 drains it."""

    do: Literal["weight"]
    server: ServerNumber
    weight: Weight


class Scale(Strict):
    """Have this many real servers: new ones join, or the newest leave."""

    do: Literal["scale"]
    servers: Annotated[int, Field(ge=1, le=MAX_SERVERS)]


class Kill(Strict):
    """The server's process dies; its entry in the kernel's table stays."""

    do: Literal["kill"]
    server: ServerNumber


class Burst(Strict):
    """So many requests at once, each held open for `seconds`, on new connections."""

    do: Literal["burst"]
    requests: Annotated[int, Field(ge=1, le=MAX_BURST)] = 10
    seconds: Annotated[float, Field(ge=0, le=60, strict=False)] = 10.0


class SetMix(Strict):
    """Another mix of Locust's user classes, by name: the users are rebalanced now."""

    do: Literal["mix"]
    weights: Annotated[
        dict[str, Annotated[int, Field(ge=0, le=10_000)]], Field(min_length=1, max_length=100)
    ]


Action = SetScheduler | SetWeight | Scale | Kill | Burst | SetMix
Verb = Literal["scheduler", "weight", "scale", "kill", "burst", "mix"]
_adapter: TypeAdapter[Action] = TypeAdapter(Annotated[Action, Field(discriminator="do")])


class Controls(Protocol):
    """Carries actions out on whatever is under test."""

    def offers(self) -> dict[Verb, str]:
        """Every verb, with why it cannot be had now; "" where it can."""

    def carry_out(self, action: Action) -> str:
        """Do it, and say in a few words what was done.

        Raises IpvsloadError with a reason for people; nothing has changed then.
        """


def parse_action(value: object) -> Action:
    """An action out of decoded JSON. Raises UsageError with every fault in it."""
    try:
        return _adapter.validate_python(value)
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False):
            where = ".".join(str(part) for part in fault["loc"][1:])
            faults.append(f"{where}: {fault['msg']}" if where else fault["msg"])
        raise UsageError("; ".join(faults)) from None
