"""Locust's users with the wire's speed.

Locust spawns, counts and stops these users, and sees each of their requests;
the requests themselves are the wire's, so a user costs one sleeping greenlet
and a request costs none. A locustfile takes LongUser and ShortUser as they are
or subclasses them.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import gevent
from gevent import GreenletExit
from gevent.event import Event
from locust import User
from locust.exception import StopTest, StopUser
from pydantic import ValidationError

from ipvsload.errors import IpvsloadError, UsageError
from ipvsload.load.exchange import Call
from ipvsload.load.http_client import Wire
from ipvsload.load.locust_internals import ManagedUser, keep_fractions_of_milliseconds
from ipvsload.load.tcp_connect import Sockets
from ipvsload.load.workload import ClosedUser, Flow
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import read_url

if TYPE_CHECKING:
    from locust.env import Environment


logger = logging.getLogger(__name__)

BURST = "burst"
"""The class of requests that a person adds to a test."""
_BURST_TIMEOUT = 60.0
"""Seconds beyond those that a burst's requests are held open."""


class FlowUser(ManagedUser):
    """A Locust user whose requests are sent by a flow.

    Subclasses say which. The user ends when the flow has nothing left for it.
    `stop(force=False)` lets the request in flight finish; a user that is
    killed has its request counted as "cut off", never lost.
    """

    abstract = True

    def __init__(self, environment: "Environment") -> None:
        super().__init__(environment)
        self._joined: tuple[Flow, ClosedUser] | None = None

    def flow(self) -> Flow:
        """The flow that this user joins."""
        raise NotImplementedError

    def pause(self) -> float:
        """Seconds between an answer and the next request."""
        return float(self.wait_time()) if self.wait_time else 0.0

    def live(self) -> None:
        """Be a user of the flow until it has nothing left for this user."""
        gone = Event()
        try:
            self.on_start()
            flow = self.flow()
            self._joined = flow, flow.join(pause=self.pause, gone=gone.set)
            gone.wait()
        except (GreenletExit, StopUser, StopTest):
            if self._joined is not None:
                flow, member = self._joined
                flow.expel(member)
        except IpvsloadError as error:
            _lanes(self.environment).give_up(error)
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
        flow, member = self._joined
        flow.leave(member)
        return True


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
    no end); `request_timeout` in seconds. `wait_time` is Locust's. When the
    test stops, requests in flight are waited for: as long as Locust's
    `--stop-timeout` says, or by default as long as they may take.
    """

    abstract = True
    path: ClassVar[str] = "/ip"
    connection: ClassVar[Literal["new", "keep-alive"]] = "new"
    requests: ClassVar[int | None] = None
    request_timeout: ClassVar[float] = 60.0

    def __init_subclass__(cls) -> None:
        # Locust runs each user class that it finds in a locustfile, imported
        # ones too: one of ours that is a base there is no class of its own.
        super().__init_subclass__()
        for base in cls.__bases__:
            if base.__module__ == __name__ and issubclass(base, IpvsUser):
                base.abstract = True

    def flow(self) -> Flow:
        """The flow of this user's class in its environment."""
        return _lanes(self.environment).flow(type(self))


class LongUser(IpvsUser):
    """A user whose requests are held open by the server for ten seconds."""

    abstract = False
    path = "/delay/10"


class ShortUser(IpvsUser):
    """A user whose requests are answered at once, each on a connection of its own."""

    abstract = False
    path = "/ip"


class _Lanes:
    """The wires and the flows of one Locust environment."""

    def __init__(self, environment: "Environment") -> None:
        self._environment = environment
        self._wires: dict[tuple[str, int], Wire] = {}
        self._flows: dict[type[IpvsUser], Flow] = {}
        self._gave_up = False
        self.sockets: Sockets | None = None
        # Locust's default is to wait for nobody; ours, that nothing is lost.
        self._waits = not environment.stop_timeout
        keep_fractions_of_milliseconds()
        environment.events.test_start.add_listener(self._renew)
        environment.events.quit.add_listener(self._close)

    def flow(self, user_class: type[IpvsUser]) -> Flow:
        flow = self._flows.get(user_class)
        if flow is None:
            flow = self._flows[user_class] = self._make(user_class)
            flow.start(users=0)
        if self._waits:
            # Here and not once: a worker gets the master's with each ramp.
            longest = max(flow.spec.timeout for flow in self._flows.values())
            self._environment.stop_timeout = longest
        return flow

    def give_up(self, error: Exception) -> None:
        """End the test, and say why in one line."""
        if self._gave_up:
            return
        self._gave_up = True
        logger.error("%s", error)
        self._environment.process_exit_code = 1
        options, runner = self._environment.parsed_options, self._environment.runner
        gevent.spawn(runner.quit if options and options.headless else runner.stop)

    def burst(self, requests: int, seconds: float) -> None:
        target = _target(self._environment.host)
        self._over(target, BURST, burst_traffic(requests, seconds)).start()

    def _renew(self, **_: Any) -> None:
        """Another test begins, perhaps at another address, with whole budgets."""
        self._gave_up = False
        self._flows.clear()
        for wire in self._wires.values():
            wire.close()
        self._wires.clear()

    def _close(self, **_: Any) -> None:
        for wire in self._wires.values():
            wire.close()
        # Locust may quit twice, as on SIGTERM.
        _all_lanes.pop(self._environment, None)

    def _make(self, user_class: type[IpvsUser]) -> Flow:
        target = _target(user_class.host or self._environment.host)
        return self._over(target, user_class.__name__, _spec(user_class))

    def _over(self, target: tuple[str, int], name: str, spec: Traffic) -> Flow:
        environment = self._environment
        wire = self._wires.get(target)
        if wire is None:
            wire = self._wires[target] = Wire(target, self.sockets, on_error=self.give_up)

        def finished(_flow: Flow, call: Call, end_ns: int, error: str | None) -> None:
            context = {"real_server": call.answer.server, "class": name}
            report(environment, call, spec.path, end_ns, error, context)

        return Flow(name, spec, wire, finished)


def patience(classes: Iterable[type[User]]) -> float:
    """The longest, in seconds, that a request of one of our classes among these may take."""
    return max((one.request_timeout for one in classes if issubclass(one, IpvsUser)), default=0.0)


def burst_traffic(requests: int, seconds: float) -> Traffic:
    """A burst as a class: a user for each request, which is held open for so long."""
    return Traffic(
        request=f"GET /delay/{seconds:g}",
        users=requests,
        requests=requests,
        timeout=seconds + _BURST_TIMEOUT,
    )


def use_sockets(environment: "Environment", sockets: Sockets | None) -> None:
    """Have the connections of this environment's users come from there, from the next test on."""
    _lanes(environment).sockets = sockets


def burst(environment: "Environment", requests: int, seconds: float) -> None:
    """So many requests at once to the test's host, each held open for so long, as class BURST.

    Raises IpvsloadError where there is no host, or its name is not known.
    """
    _lanes(environment).burst(requests, seconds)


def _spec(user_class: type[IpvsUser]) -> Traffic:
    try:
        return Traffic(
            request=f"GET {user_class.path}",
            users=1,
            requests=user_class.requests,
            connection=user_class.connection,
            timeout=user_class.request_timeout,
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = {"request": "path", "timeout": "request_timeout"}.get(
            str(first["loc"][0]), str(first["loc"][0])
        )
        raise UsageError(f"{user_class.__name__}.{name}: {first['msg']}") from None


def _target(host: str | None) -> tuple[str, int]:
    if not host:
        raise UsageError("no host: give one with -H http://ADDRESS[:PORT]")
    return read_url(host)


_all_lanes: "dict[Environment, _Lanes]" = {}


def _lanes(environment: "Environment") -> _Lanes:
    lanes = _all_lanes.get(environment)
    if lanes is None:
        lanes = _all_lanes[environment] = _Lanes(environment)
    return lanes
