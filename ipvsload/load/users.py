"""Locust's users with the wire's speed.

Locust spawns, counts and stops these users, and sees each of their requests;
the requests themselves are the wire's, so a user costs one sleeping greenlet
and a request costs none. A locustfile takes LongUser and ShortUser as they are
or subclasses them.
"""

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from gevent import GreenletExit
from gevent.event import Event
from locust import User
from locust.user.users import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING

from ipvsload.errors import UsageError
from ipvsload.load.flow import Flow
from ipvsload.load.wire import Call, Wire
from ipvsload.scenario.model import Traffic

if TYPE_CHECKING:
    from gevent.pool import Group
    from locust.env import Environment


class FlowUser(User):  # type: ignore[misc]
    """A Locust user whose requests are sent by a flow.

    Subclasses say which. The user ends when the flow has nothing left for it.
    `stop(force=False)` lets the request in flight finish; a user that is
    killed has its request counted as "cut off", never lost.
    """

    abstract = True

    def flow(self) -> Flow:
        """The flow that this user joins."""
        raise NotImplementedError

    def pause(self) -> float:
        """Seconds between an answer and the next request."""
        return float(self.wait_time()) if self.wait_time else 0.0

    def start(self, group: "Group") -> Any:
        """Locust's hook: begin in a greenlet of `group`."""
        self._group = group
        self._slot: Any = None
        self._greenlet = group.spawn(_live, self)
        return self._greenlet

    def stop(self, force: bool = False) -> bool:
        """Locust's hook: leave, or with `force` be cut off; True if it is over now."""
        if force or self._slot is None:
            self._group.killone(self._greenlet)
            return True
        self._state = LOCUST_STATE_STOPPING
        self._slot.owner.leave(self._slot)
        return False


def _live(user: FlowUser) -> None:
    """The life of a user; Locust finds it by this greenlet's first argument."""
    user._state = LOCUST_STATE_RUNNING
    gone = Event()
    try:
        user.on_start()
        flow = user.flow()
        user._slot = flow.join(pause=user.pause, gone=gone.set)
        gone.wait()
    except GreenletExit:
        if user._slot is not None:
            user._slot.owner.expel(user._slot)
    finally:
        user.on_stop()


def report(environment: "Environment", call: Call, path: str, end_ns: int, error: str | None,
           context: dict[str, Any]) -> None:  # fmt: skip
    """Tell Locust of a finished request; response time in ms with its fractions."""
    answer = call.answer
    failure: Exception | None = None
    if error is not None:
        failure = RequestFailed(error)
    elif answer.status >= 400:
        failure = RequestFailed(f"status {answer.status}")
    environment.events.request.fire(
        request_type="GET",
        name=path,
        response_time=(end_ns - call.planned) / 1e6,
        response_length=answer.size,
        response=None,
        context=context,
        exception=failure,
        url=path,
    )


class RequestFailed(Exception):  # noqa: N818
    """A request without a whole answer, or with a bad one, in Locust's statistics."""

    def __repr__(self) -> str:
        # Locust groups failures by their text.
        return str(self)


class IpvsUser(FlowUser):
    """Base of users in a locustfile; sends GET `path` to the test's host.

    Class attributes: `path`; `connection`, "new" for each request or
    "keep-alive"; `requests`, a budget that all users of the class share (None:
    no end); `request_timeout` in seconds. `wait_time` is Locust's.
    """

    abstract = True
    path: ClassVar[str] = "/ip"
    connection: ClassVar[str] = "new"
    requests: ClassVar[int | None] = None
    request_timeout: ClassVar[float] = 60.0

    def flow(self) -> Flow:
        """The flow of this user's class in its environment."""
        return _lanes(self.environment).flow(type(self))


class LongUser(IpvsUser):
    """A user whose requests are held open by the server for ten seconds."""

    path = "/delay/10"


class ShortUser(IpvsUser):
    """A user whose requests are answered at once, each on a connection of its own."""

    path = "/ip"


class _Lanes:
    """The wire and the flows of one Locust environment."""

    def __init__(self, environment: "Environment") -> None:
        self._environment = environment
        self._wires: dict[tuple[str, int], Wire] = {}
        self._flows: dict[type[IpvsUser], Flow] = {}

    def flow(self, user_class: type[IpvsUser]) -> Flow:
        flow = self._flows.get(user_class)
        if flow is None:
            flow = self._flows[user_class] = self._make(user_class)
        if not flow.running and flow.done.is_set():
            flow.start(users=0)
        return flow

    def _make(self, user_class: type[IpvsUser]) -> Flow:
        host = user_class.host or self._environment.host
        if not host:
            raise UsageError("no host: give one with -H http://ADDRESS")
        parts = urlsplit(host)
        if parts.scheme != "http" or not parts.hostname:
            raise UsageError(f"host {host!r}: expected http://ADDRESS[:PORT]")
        target = (parts.hostname, parts.port or 80)
        wire = self._wires.get(target)
        if wire is None:
            wire = self._wires[target] = Wire(target)
        spec = Traffic(
            request=f"GET {user_class.path}",
            users=1,
            requests=user_class.requests,
            connection=user_class.connection,  # type: ignore[arg-type]
            timeout=user_class.request_timeout,
        )
        environment = self._environment

        def finished(_flow: Flow, call: Call, end_ns: int, error: str | None) -> None:
            context = {"real_server": call.answer.server}
            report(environment, call, user_class.path, end_ns, error, context)

        flow = Flow(user_class.__name__, spec, wire, finished)
        flow.done.set()
        return flow


_all_lanes: "WeakKeyDictionary[Environment, _Lanes]" = WeakKeyDictionary()


def _lanes(environment: "Environment") -> _Lanes:
    lanes = _all_lanes.get(environment)
    if lanes is None:
        lanes = _all_lanes[environment] = _Lanes(environment)
    return lanes
