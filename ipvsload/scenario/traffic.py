"""A class of traffic: what is asked for, by how many users or at which rate, and until when."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from ipvsload.errors import UsageError
from ipvsload.scenario import duration
from ipvsload.scenario.arrival_kinds import ArrivalsField
from ipvsload.scenario.connection import ConnectionField, Lifetime
from ipvsload.scenario.duration import Duration, PositiveDuration
from ipvsload.scenario.faults import refused
from ipvsload.scenario.file_reference import Files, NumbersFile, TraceFile
from ipvsload.scenario.levels import RateField, UsersField, most, stages_of, written
from ipvsload.scenario.stages import Stages, cut, length
from ipvsload.scenario.strict import Strict
from ipvsload.scenario.words import counted
from ipvsload.scenario.work import FileWork, WorkField

WORK = "{work}"
"""Where a request says its work."""
PATH = "{path}"
"""Where a request has the path of an arrival in a file."""
REQUEST_PATTERN = r"^GET (/|\{path\})[!-~]*$"


class Traffic(Strict, use_attribute_docstrings=True):
    """A named class of traffic: closed with `users`, open with `rate`."""

    request: Annotated[str, Field(pattern=REQUEST_PATTERN, max_length=2000)] = "GET /ip"
    """What is asked for: GET and a path, such as "GET /delay/10" or "GET /delay/{work}"."""
    work: WorkField | None = None
    """What stands for {work} in the request, in seconds: a time, or a distribution of times."""
    users: UsersField | None = None
    """Closed workload: this many users, each waiting for its answer; or stages of them."""
    rate: RateField | None = None
    """Open workload: arrivals per second, whatever the answers do; or stages of them."""
    arrivals: ArrivalsField = "even"
    """Arrivals of a rate: even, or poisson (at random); or those of a file."""
    requests: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """End after this many requests over all users."""
    duration: PositiveDuration | None = None
    """End after this long: seconds, or a time such as 30s or 2m."""
    think: Duration = 0.0
    """Pause of a user between an answer and its next request."""
    connection: ConnectionField = "new"
    """A new connection for each request, or one that a user keeps, for good or for a while."""
    retry: bool = True
    """Send a request again, once, that a kept connection never took; with false it has failed."""
    timeout: PositiveDuration = 60.0
    """A request without a whole answer by then has failed."""

    @property
    def path(self) -> str:
        """The request's target, without its method."""
        return self.request.removeprefix("GET ")

    @property
    def lifetime(self) -> Lifetime | None:
        """How long connections are kept; None: each for one request, or for good."""
        return self.connection if isinstance(self.connection, Lifetime) else None

    @property
    def open(self) -> bool:
        """Whether requests are sent whatever the answers do."""
        return self.users is None

    @property
    def trace(self) -> TraceFile | None:
        """The file that has its arrivals, if one does."""
        return self.arrivals if isinstance(self.arrivals, TraceFile) else None

    @property
    def rate_stages(self) -> Stages:
        """The arrivals per second in the course of time; empty for a closed workload."""
        return cut(stages_of(self.rate), self.duration or math.inf)

    @property
    def user_stages(self) -> Stages:
        """The users in the course of time; empty where their number stays the same."""
        if not isinstance(self.users, tuple):
            return ()
        return cut(self.users, self.duration or math.inf)

    @property
    def most_users(self) -> int:
        """The most users at the same time; 0 for an open workload."""
        return 0 if self.users is None else int(most(self.users))

    @property
    def seconds(self) -> float:
        """The longest that it sends by itself; infinite if only its requests, or a stop, end it."""
        if self.trace is not None:
            # Of a file at which nobody looked, as for a report, the length is not known.
            last = self.trace.seconds if self.trace.path else duration.MAX_SECONDS
            return min(last, self.duration or math.inf)
        stages = self.user_stages or self.rate_stages
        return length(stages) if stages else self.duration or math.inf

    @property
    def size(self) -> str:
        """For people: "10 users", "50 to 500/s"."""
        if self.users is not None:
            return written(self.users, " user" if self.users == 1 else " users")
        if self.trace is not None:
            return f"arrivals of {self.trace.name}"
        return written(self.rate or 0.0, "/s")

    @classmethod
    def of_share(cls, share: Mapping[str, Any], files: Files) -> Self:
        """The class that a master has written down for a worker. Raises UsageError."""
        try:
            return cls.model_validate(share, context={"files": files})
        except ValidationError as error:
            raise UsageError(error.errors()[0]["msg"]) from None

    def files(self) -> Iterator[tuple[TraceFile | NumbersFile, str]]:
        """Each file that it names, with how much is in it."""
        if self.trace is not None:
            yield self.trace, counted(self.trace.arrivals, "arrival")
        if isinstance(self.work, FileWork):
            yield self.work.file, counted(len(self.work.file.values), "time")

    @property
    def endless(self) -> bool:
        """Whether only a `stop` ends it."""
        return self.requests is None and math.isinf(self.seconds)

    @model_validator(mode="after")
    def _workload(self) -> Self:
        if self.users is not None and self.rate is not None:
            raise refused(
                "rate",
                "'users' (a closed workload) and 'rate' (an open one) exclude each other; "
                "take one of them away",
            )
        if self.rate is not None and self.trace is not None:
            raise refused("rate", "a file has the arrivals, so that 'rate' has no place here")
        if self.users is None and self.rate is None and self.trace is None:
            raise refused(
                None, "a class needs 'users' (a closed workload) or 'rate' (arrivals per second)"
            )
        if self.connection == "new" and "retry" in self.model_fields_set:
            raise refused(
                "retry", "'retry' is about kept connections: it needs 'connection: keep-alive'"
            )
        if self.open and "think" in self.model_fields_set:
            raise refused("think", "'think' is a user's pause, and this class has a rate")
        if not self.open and "arrivals" in self.model_fields_set:
            raise refused("arrivals", "'arrivals' are those of a rate, and this class has users")
        columns = self.trace.columns if self.trace else ()
        unknown = self.trace is not None and not self.trace.path
        if WORK in self.request and not (self.work or "work" in columns or unknown):
            raise refused("request", f"{WORK} needs 'work', such as 'work: exponential 20ms'")
        if PATH in self.request and not ("path" in columns or unknown):
            raise refused("request", f"{PATH} needs 'arrivals: file: NAME' with a column 'path'")
        if self.work is not None and WORK not in self.request:
            raise refused(
                "work", f"'work' needs its place in the request, as in 'request: GET /delay/{WORK}'"
            )
        return self
