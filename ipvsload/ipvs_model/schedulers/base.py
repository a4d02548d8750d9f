"""What a scheduler's rule is given, and what it answers."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from ipvsload.ipvs.lc_laws import USUAL_LC_LAW
from ipvsload.ipvs_model.server_list import Counts, ServerList


class Client(NamedTuple):
    """Where a connection comes from."""

    address: str
    port: int


class RuleSettings(NamedTuple):
    """What a rule must know besides the servers.

    `flags` are names as in ipvs/schedulers.py. `lc_law` is how much one active connection
    counts beside a finished one (ipvs/lc_laws.py). `destination` is the virtual service's address.
    `draw` gives a number from 0 up to 1, for rules that leave something to chance.
    """

    destination: str
    flags: frozenset[str] = frozenset()
    lc_law: int = USUAL_LC_LAW
    draw: Callable[[], float] | None = None

    def drawn(self) -> float:
        """A number of `draw`. Raises ValueError without."""
        if self.draw is None:
            raise ValueError("a scheduler that leaves something to chance needs a draw")
        return self.draw()


class SchedulerRule(ABC):
    """A scheduler of one virtual service. Its class attributes are its registration.

    Thresholds of connections, above which a server gets none (IP_VS_DEST_F_OVERLOAD), are
    left out: no testbed sets them.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    """The kernel's file and function that it follows."""
    by_chance: ClassVar[bool] = False
    """Whether the same history may be followed by another choice."""

    def __init__(self, servers: ServerList, settings: RuleSettings) -> None:
        self.servers = servers
        self.settings = settings
        self.changed()

    @abstractmethod
    def choose(self, client: Client) -> int | None:
        """The number of the server for a new connection; None: it gets none.

        The servers' counts are those before the connection.
        """

    def choices(self, active: Counts, inactive: Counts) -> Counts | None:
        """What `choose` would say for each row of counts, -1 for no server.

        Servers stand in the order of the list. None where the rule goes by more than counts and
        weights.
        """
        return None

    def chances(self) -> dict[int, float] | None:
        """The chance of each server that can be chosen; they add up to 1.

        None where the rule goes by more than weights.
        """
        return None

    def changed(self) -> None:  # noqa: B027 - most rules keep nothing that a change makes old
        """A server has joined or left, or has another weight."""

    def counted(self, number: int) -> None:  # noqa: B027
        """A server has other counts of connections."""

    def score(self, number: int) -> float | None:
        """What the rule compares of a server now, of which the least wins; None without."""
        return None

    @classmethod
    def working(cls, weight: int, active: int, inactive: int, lc_law: int) -> str:
        """How the score of such a server is worked out, for people: "256·3 + 12"; "" without."""
        return ""

    @classmethod
    def bucket(cls, client: Client, settings: RuleSettings) -> tuple[int, int] | None:
        """Which place of the rule's table a client's hash falls on, from 0, and of how many.

        None where no hash chooses.
        """
        return None
