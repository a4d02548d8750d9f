"""What a run needs of the load: start a class, stop it, and wait for the end.

Behind it are Locust's users in this process, or on the workers of a master.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from ipvsload.record.clock_alignment import Alignment
from ipvsload.record.format import Request
from ipvsload.scenario.measures.base import ClassCounts
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget


class Load(Protocol):
    """The traffic classes of one run against one target."""

    @property
    def counts(self) -> Mapping[str, ClassCounts]:
        """The counts of each class, by its name; conditions use them."""

    @property
    def clocks(self) -> Iterable[tuple[str, Alignment]]:
        """Generators with a clock of their own: their names, and how far it is from ours."""

    def start(self, name: str) -> None:
        """Start a class: its users, or its arrivals."""

    def stop(self, name: str) -> None:
        """Send no new requests of this class; those in flight finish."""

    def burst(self, requests: int, seconds: float) -> None:
        """Send `requests` requests at once, each held open for `seconds`, as class BURST."""

    def finish(self, grace: float, soon: bool = False) -> None:
        """Stop every class and wait for what is in flight.

        Waits each class's own timeout and `grace` seconds at most, or with
        `soon` only these; what is left then is recorded as "cut off".
        """

    def overloads(self) -> list[str]:
        """Each reason why a generator was too busy for its figures to count."""

    def close(self) -> None:
        """Cut off what is in flight and let the users go."""


class LoadListener(NamedTuple):
    """Who hears of a run's load, and in which terms.

    `run` is the run's number in the record; `zero_ns` is when the record's time is zero,
    by `time.monotonic_ns()`. `on_finished` is called with requests that have
    finished, in the order of their ends, `on_done` with the name of each class
    that is done, `on_error` with the first error, which ends the load.

    Before a class is done, and before anybody else can see it in `Load.counts`,
    a request was handed to `on_finished`.
    """

    run: int
    zero_ns: int
    on_finished: Callable[[Sequence[Request]], None]
    on_done: Callable[[str], None]
    on_error: Callable[[Exception], None]


LoadMaker = Callable[[Mapping[str, Traffic], HttpTarget, LoadListener, str], Load]
"""Makes a run's load: its classes by name, where the virtual service is, its listener, and the
key of what is drawn at random: loads with the same key draw the same.

It connects to nothing yet: a class sends once it is started."""
