"""What every action is: a frozen value that is checked, described and carried out.

A subclass is one kind of action. It stands in a file of its own in this folder
and is found there; nothing else lists the actions.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, Self, get_type_hints

from pydantic import ConfigDict

from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.expression import Condition
from ipvsload.scenario.planned_state import PlannedState
from ipvsload.scenario.server_conditions import ServerFault
from ipvsload.scenario.strict import Strict


class ActionTarget(Protocol):
    """What actions act on: the balancer, the servers and the load of a test.

    Every method raises IpvsloadError with a reason for people where it cannot
    be done; nothing has changed then.
    """

    def start(self, traffic_class: str) -> None:
        """Start a class of traffic."""

    def stop(self, traffic_class: str) -> None:
        """Send nothing new of a class; what is in flight is still waited for."""

    def scale(self, servers: int) -> None:
        """Have this many servers: new ones join with weight 1, or the newest leave."""

    def reweigh(self, server: int, weight: int) -> None:
        """Give a server another weight; 0 gives it no new connections."""

    def remove(self, server: int) -> None:
        """Take a server out of the kernel's table."""

    def fault(self, server: int, fault: ServerFault) -> None:
        """Do this to the server's process or its packets."""

    def set_speed(self, server: int, speed: float) -> None:
        """Have the server do its work at this speed; 1 is its usual one."""

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Have `act` done in so many seconds, if the test still runs then."""

    def set_scheduler(self, scheduler: str) -> None:
        """Change the scheduler in place: connections and counters stay."""

    def burst(self, requests: int, seconds: float) -> None:
        """Send this many requests at once, each held open for `seconds`."""

    def set_mix(self, weights: Mapping[str, int]) -> Mapping[str, int]:
        """Change weights of Locust's user classes; returns the weights of all of them."""


class Action(Strict):
    """One action. Its fields are those of its JSON form on the page.

    In a scenario file it is `key: VALUE`, where VALUE is the mapping of its
    fields, or the field itself where there is only one. The docstring of a
    subclass is what the JSON Schema of scenario files says of the key.
    """

    model_config = ConfigDict(defer_build=True)  # a scenario has few of the actions

    key: ClassVar[str]
    """Its key in a step and its name in the page's requests: by default the name of its file."""
    rank: ClassVar[int]
    """Its place among the actions in messages and in the schema, ascending."""
    needs: ClassVar[Capability | None] = None
    """What it needs of a testbed."""
    in_scenarios: ClassVar[bool] = True
    on_page: ClassVar[bool] = True

    @classmethod
    def __pydantic_init_subclass__(cls, **_config: Any) -> None:
        """Name the action after its file, unless it has a name of its own."""
        if "key" not in cls.__dict__:
            cls.key = cls.__module__.rpartition(".")[2]

    @classmethod
    def yaml_type(cls) -> Any:
        """The type of its value in a scenario file."""
        hints = get_type_hints(cls, include_extras=True)
        names = list(cls.model_fields)
        return hints[names[0]] if len(names) == 1 else cls

    @classmethod
    def from_yaml(cls, value: Any) -> Self:
        """The action whose value, of `yaml_type`, stands in a scenario file."""
        return value if isinstance(value, cls) else cls(**{next(iter(cls.model_fields)): value})

    @abstractmethod
    def describe(self) -> str:
        """What it does in a few words, as the record has it: "scale to 2"."""

    @property
    def shares(self) -> bool:
        """Whether it needs weights that are neither 0 nor 1."""
        return False

    @property
    def names_servers(self) -> tuple[int, ...]:
        """The numbers of the servers that it names."""
        server = getattr(self, "server", None)
        return () if server is None else (server,)

    def awaited(self) -> Condition | float | None:
        """What it waits for by itself: a condition, or seconds to pass."""
        return None

    def plan(self, planned: PlannedState) -> None:
        """Do it to the planned state; what cannot be done is not, and is refused there."""

    def shown_by(self, weights: Mapping[int, int]) -> bool | None:
        """Whether a table with these weights, by server number, shows what this has changed.

        None for an action that changes no row of the kernel's table.
        """
        return None

    def carry_out(self, target: ActionTarget) -> str:
        """Do it, and say in a few words what was done. Raises IpvsloadError."""
        self.act(target)
        return self.describe()

    def act(self, target: ActionTarget) -> None:
        """Do it. Raises IpvsloadError."""
