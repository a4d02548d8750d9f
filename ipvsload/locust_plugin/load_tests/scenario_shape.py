"""A scenario as a Locust shape: its timeline decides how many users there are.

Of a shape only two things are used: Locust asks it once a second whether the
test goes on, and starts no users by itself.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from locust import LoadTestShape, constant

from ipvsload.load.users import IpvsUser
from ipvsload.scenario.load import load
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.traffic import PATH, WORK

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class ScenarioShape(LoadTestShape):
    """Plays a scenario file; subclass it in a locustfile and name the file."""

    abstract = True
    # Else Locust would ignore --run-time when it reads its command line.
    use_common_options = True
    scenario: ClassVar[Path]
    """The file that it plays."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on: Callable[[], bool] = lambda: False
        """Whether the test is still to be played, or being played; see registration.py."""

    def tick(self) -> tuple[int, float] | None:
        """Return (0, 1.0): Locust keeps the test alive with no users of its own."""
        run_time = self.runner.environment.parsed_options.run_time
        if run_time and self.get_run_time() >= run_time:
            logger.warning("--run-time is over before the scenario is")
            return None
        return (0, 1.0) if self.goes_on() else None


def scenario_users(scenario: Path) -> dict[str, type[IpvsUser]]:
    """A user class for each class of a scenario's traffic, by name.

    Locust needs user classes in a locustfile. While the scenario plays, they
    only stand for its traffic classes; without the shape (the class picker's
    "Default") they are ordinary users who send the same requests. Raises
    ScenarioError.
    """
    return {name: _user_class(name, spec) for name, spec in load(scenario).traffic.items()}


def _user_class(name: str, spec: Traffic) -> type[IpvsUser]:
    path = spec.path
    if spec.trace is not None:  # which these users do not read
        path = path.replace(PATH, "/").replace(WORK, WORK if spec.work else "0")
    attributes: dict[str, Any] = {
        "path": path,
        "work": spec.work,
        "connection": spec.connection,
        "retry": spec.retry,
        "request_timeout": spec.timeout,
        "wait_time": constant(spec.think),
        "weight": spec.most_users or 1,
        "__doc__": f"Users of the class {name}.",
    }
    return type(name, (IpvsUser,), attributes)
