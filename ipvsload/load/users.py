"""Locust's users, as fast as the HTTP client is.

Locust spawns, counts and stops these users, and is told of each of their
requests. The requests are sent by a workload, so that a user costs one greenlet
that sleeps and a request costs none. A locustfile takes LongUser and ShortUser
as they are or subclasses them.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from gevent import GreenletExit
from gevent.event import Event
from locust import User
from locust.env import Environment
from locust.exception import StopTest, StopUser
from pydantic import ValidationError

from ipvsload.errors import IpvsloadError, UsageError
from ipvsload.load.environment_load import environment_load
from ipvsload.load.locust_internals import ManagedUser
from ipvsload.load.workload import Workload
from ipvsload.scenario.model import Traffic

if TYPE_CHECKING:
    from ipvsload.load.closed_user import ClosedUser

logger = logging.getLogger(__name__)


class WorkloadUser(ManagedUser):
    """A Locust user whose requests are sent by a workload.

    Subclasses say which. The user ends when the workload has nothing left for
    it. `stop(force=False)` lets the request in flight finish; if the user is
    killed, its request is counted as "cut off" and not lost.
    """

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._joined: tuple[Workload, ClosedUser] | None = None

    def workload(self) -> Workload:
        """The workload that this user joins."""
        raise NotImplementedError

    def pause(self) -> float:
        """Seconds between an answer and the next request, as the class's `wait_time` says."""
        return float(self.wait_time()) if self.wait_time else 0.0

    def live(self) -> None:
        """Be a user of the workload until it has nothing left for this user."""
        gone = Event()
        try:
            self.on_start()
            workload = self.workload()
            pause = None if type(self).wait_time is User.wait_time else self.pause
            self._joined = workload, workload.join(pause=pause, on_gone=gone.set)
            gone.wait()
        except (GreenletExit, StopUser, StopTest):
            if self._joined is not None:
                workload, member = self._joined
                workload.remove(member)
        except IpvsloadError as error:
            environment_load(self.environment).give_up(error)
        except Exception as error:
            logger.exception("a user of class %s failed", type(self).__name__)
            self.environment.events.user_error.fire(
                user_instance=self, exception=error, tb=error.__traceback__
            )
        self.on_stop()

    def leave(self) -> bool:
        """Let the request in flight finish and send no more."""
        if self._joined is None:
            return False
        workload, member = self._joined
        workload.leave(member)
        return True


class IpvsUser(WorkloadUser):
    """Base of users in a locustfile; sends GET `path` to the test's host.

    `wait_time` is Locust's. When the test stops, requests in flight are waited for: as
    long as Locust's `--stop-timeout` says, or by default as long as they may take.
    """

    abstract = True
    path: ClassVar[str] = "/ip"
    """What is asked for; `{work}` in it stands for the request's work in seconds."""
    work: ClassVar[Any] = None
    """How much work a request asks for, as in a scenario: "exponential 20ms"."""
    connection: ClassVar[Any] = "new"
    """Is "new" for each request, "keep-alive", or for a while: {"keep-alive": "100 requests"},
    {"keep-alive": "30s"}."""
    retry: ClassVar[bool] = True
    """Whether a request that a kept connection never took is sent again, once."""
    requests: ClassVar[int | None] = None
    """A budget that all users of the class share; None: no end."""
    request_timeout: ClassVar[float] = 60.0
    """Seconds in which a request must have its whole answer."""

    def __init_subclass__(cls) -> None:
        # Locust runs each user class that it finds in a locustfile, imported
        # ones too: one of ours that is a base there is no class of its own.
        super().__init_subclass__()
        for base in cls.__bases__:
            if base.__module__ == __name__ and issubclass(base, IpvsUser):
                base.abstract = True

    def workload(self) -> Workload:
        """The workload of this user's class in its environment."""
        return environment_load(self.environment).workload(type(self), self.host, self._spec)

    @classmethod
    def _spec(cls) -> Traffic:
        # What goes with some classes only is given where it is not as by default.
        attributes: dict[str, Any] = {} if cls.retry else {"retry": False}
        if cls.work is not None:
            attributes["work"] = cls.work
        try:
            return Traffic(
                request=f"GET {cls.path}",
                users=1,
                requests=cls.requests,
                connection=cls.connection,
                timeout=cls.request_timeout,
                **attributes,
            )
        except ValidationError as error:
            first = error.errors()[0]
            # A fault of fields that do not go together names one in its context.
            path = first["loc"] or first.get("ctx", {}).get("path") or [None]
            field = str(path[0])
            name = {"request": "path", "timeout": "request_timeout"}.get(field, field)
            raise UsageError(f"{cls.__name__}.{name}: {first['msg']}") from None


class LongUser(IpvsUser):
    """A user whose requests are held open by the server for ten seconds."""

    abstract = False
    path = "/delay/10"


class ShortUser(IpvsUser):
    """A user whose requests are answered at once, each on a connection of its own."""

    abstract = False
    path = "/ip"


def budgets(classes: Iterable[type]) -> dict[str, int]:
    """The budget of each of our classes among these that has one, by the class's name."""
    ours = (one for one in classes if issubclass(one, IpvsUser))
    # What is no number is refused where a user is started: see `_spec`.
    return {one.__name__: one.requests for one in ours if isinstance(one.requests, int)}


def longest_timeout(classes: Iterable[type]) -> float:
    """The longest, in seconds, that a request of one of our classes among these may take."""
    return max((one.request_timeout for one in classes if issubclass(one, IpvsUser)), default=0.0)
