"""What makes the load of a test: Locust's users in this process, or a master's workers."""

from typing import Protocol

from locust.env import Environment

from ipvsload.load.base import LoadMaker
from ipvsload.load.connection_watch import ConnectionWatch
from ipvsload.load.environment_load import environment_load
from ipvsload.load.locust_load import LocustLoad
from ipvsload.locust_plugin.lab_sockets import CurrentSockets


class Generators(Protocol):
    """Makes load for tests, one at a time.

    `broker` is the name of the lab's socket broker, "" where there is none.
    """

    unwatched: str
    """Why nobody here hears when each connection begins and ends; "" where that is heard."""

    def ready(self) -> bool:
        """Whether load can be made; if not, an error is logged."""

    def users(self) -> dict[str, int]:
        """How many users of each class run now."""

    def load_maker(self, broker: str) -> LoadMaker:
        """Return what makes the load of a scenario's run."""

    def connect_users(self, broker: str) -> None:
        """Have the connections of Locust's own users made with the broker's sockets.

        Raises TestbedError where the broker does not answer.
        """

    def burst(self, requests: int, seconds: float) -> None:
        """Send so many requests at once to the test's host, each held open for so long.

        Raises IpvsloadError.
        """

    def drain(self) -> None:
        """Wait until all requests in flight have ended and are counted."""

    def close(self) -> None:
        """Close the connection to the broker; calling it again does nothing."""


class LocalGenerator:
    """Makes the load in this process, which is the only one; `watch` is told of connections."""

    unwatched = ""

    def __init__(self, environment: Environment, watch: ConnectionWatch | None) -> None:
        self._environment, self._watch = environment, watch
        self._sockets = CurrentSockets()
        environment_load(environment).watch = watch

    def ready(self) -> bool:
        """See `Generators`: always."""
        return True

    def users(self) -> dict[str, int]:
        """See `Generators`."""
        return dict(self._environment.runner.user_classes_count)

    def load_maker(self, broker: str) -> LoadMaker:
        """See `Generators`; the broker is asked when the load is made."""
        return lambda *run: LocustLoad(
            *run,
            environment=self._environment,
            sockets=self._sockets.of_run(broker),
            watch=self._watch,
        )

    def connect_users(self, broker: str) -> None:
        """See `Generators`."""
        environment_load(self._environment).sockets = self._sockets.of(broker)

    def burst(self, requests: int, seconds: float) -> None:
        """See `Generators`."""
        environment_load(self._environment).burst(requests, seconds)

    def drain(self) -> None:
        """Nothing: Locust waits for the users of its own process."""

    def close(self) -> None:
        """See `Generators`."""
        self._sockets.close()
