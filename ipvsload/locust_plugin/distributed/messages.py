"""What a master and its workers say to each other: one type a message.

Locust carries a name and whatever msgpack can. Master and workers may run on
different machines with different versions of ipvsload, so each message has the
number of this format, and one that does not fit is refused with a reason for
people. Times are in nanoseconds of the sender's `time.monotonic_ns()`, where
nothing else is said.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from ipvsload.scenario.url import HttpTarget

VERSION = 4

WorkerMessage: TypeAlias = tuple[Any, ...]
"""Any of the types below."""

ClassCounters: TypeAlias = tuple[int, int, int, int, int, bool]
"""Of a class: the number of its start, finished requests, failures, requests in flight, users,
and whether this start is over."""

M = TypeVar("M", bound=WorkerMessage)


# A scenario's run, from the master


class BeginLoad(NamedTuple):
    """Make the load of this run: `traffic` has the worker's share of each class.

    `key` is that of what is drawn at random; see `load.base.LoadMaker`.
    """

    run: int
    target: HttpTarget
    broker: str
    traffic: dict[str, dict[str, Any]]
    key: str


class StartClass(NamedTuple):
    """Start a class for the `number`th time.

    Its requests here have every `step`th number from `first` on.
    """

    traffic_class: str
    number: int
    first: int
    step: int


class StopClass(NamedTuple):
    """No new requests of this class; those in flight finish."""

    traffic_class: str


class FinishLoad(NamedTuple):
    """Stop every class and wait for what is in flight; see `load.base.Load.finish`."""

    grace: float
    soon: bool


class CloseLoad(NamedTuple):
    """The run is over: cut off what is in flight."""


class ClockPing(NamedTuple):
    """Answer with your clock."""

    number: int


# The same, from a worker


class LoadBegun(NamedTuple):
    """The load is made, or `trouble` says why not; `boot` is the machine's boot ID."""

    run: int
    trouble: str
    boot: str


class ClockPong(NamedTuple):
    """The answer to a ping."""

    number: int
    time_ns: int


class LoadProgress(NamedTuple):
    """What has happened since the last one.

    `requests` has rows of `record.format.Request` whose times are µs of the
    worker's clock; they are not looked at here, since there may be thousands.
    `counts` has the classes that have been started.
    """

    run: int
    requests: list[Any]
    counts: dict[str, ClassCounters]


class LoadFinished(NamedTuple):
    """All requests have ended; `overloads` says why the worker's figures do not count."""

    run: int
    overloads: list[str]


class LoadBroken(NamedTuple):
    """The load has ended with an error."""

    run: int
    reason: str


# Any test


class SendBurst(NamedTuple):
    """Send so many requests at once, each held open for so many seconds."""

    requests: int
    seconds: float


class DrainRequests(NamedTuple):
    """Start nothing more, wait for what is in flight, and tell of all of it."""


class RequestsDrained(NamedTuple):
    """All has been told."""


class RequestsCounted(NamedTuple):
    """Requests counted since the last one: a `request_counter.Delta`, which is checked there."""

    delta: Mapping[str, Any]


class WantRequests(NamedTuple):
    """A worker has so many requests `left` of a user class's budget, and wants more of them.

    `test` is the test's number; see `shared_budgets.py`.
    """

    test: int
    user_class: str
    left: int


class LendRequests(NamedTuple):
    """The master's answer: so many `requests`; whether there may be `more` later."""

    test: int
    user_class: str
    requests: int
    more: bool


class ReturnRequests(NamedTuple):
    """A worker gives back all that it has; `asks` says whether it still awaits an answer."""

    test: int
    user_class: str
    requests: int
    asks: bool


class WorkerComplaint(NamedTuple):
    """Why this worker cannot take part in the test."""

    reason: str


def to_data(message: WorkerMessage) -> list[Any]:
    """What msgpack can carry of a message."""
    return [VERSION, *message]


def from_data(message: type[M], data: Any) -> M:
    """The message of this type that `to_data` was given. Raises ValueError."""
    version = data[0] if isinstance(data, list) and data else None
    if version != VERSION:
        reason = f"a message of format {version!r}, and this process has {VERSION}"
    else:
        try:
            found: M = _adapter(message).validate_python(data[1:])
            return found
        except ValidationError:
            reason = f"a malformed message {name_of(message)}"
    raise ValueError(f"{reason}: master and workers must run the same version of ipvsload")


def name_of(message: type[WorkerMessage]) -> str:
    """The name of a type of messages in Locust's protocol."""
    return f"ipvsload_{message.__name__.lower()}"


@cache
def _adapter(message: type[WorkerMessage]) -> TypeAdapter[Any]:
    return TypeAdapter(message)


class Runner(Protocol):
    """What is used here of Locust's runner of a master or a worker."""

    def register_message(
        self, msg_type: str, listener: Callable[..., None], concurrent: bool
    ) -> None:
        """Have `listener` called with each message of a type, its only listener ever."""

    def send_message(self, msg_type: str, data: Any, client_id: str | None) -> None:
        """Send to one worker, or from a worker to the master."""


def listen(
    runner: Runner,
    message: type[M],
    heard: Callable[[str, M], None],
    refused: Callable[[str, ValueError], None],
    concurrent: bool = False,
) -> None:
    """Have a runner's messages of one type handed to `heard`, with the sender's name.

    What cannot be understood goes to `refused`. `concurrent` has each in a
    greenlet of its own. Locust takes one listener for a type, once and for good.
    """

    def listener(msg: Any, **_: Any) -> None:
        try:
            found = from_data(message, msg.data)
        except ValueError as error:
            refused(msg.node_id, error)
        else:
            heard(msg.node_id, found)

    runner.register_message(name_of(message), listener, concurrent)


def send(runner: Runner, message: WorkerMessage, worker: str | None = None) -> None:
    """Send to the master, or from it to one worker."""
    runner.send_message(name_of(type(message)), to_data(message), worker)
