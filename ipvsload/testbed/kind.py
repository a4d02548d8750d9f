"""What the rest of the program must know of a kind of testbed before one is made.

Each kind is described in a module named NAME_kind.py, which sets `KIND`. Every
command imports all of these modules, so they import the testbeds themselves
only where they are used.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # not imported at run time: every command would take 3 ms longer
    from ipvsload.scenario.service import Service
    from ipvsload.testbed.base import Testbed
    from ipvsload.testbed.doctor_finding import DoctorFinding

OptionValues = Mapping[str, Any]
"""Values of options, by `Option.name`."""
Tell = Callable[[str], None]
"""Is told each step, in a line of text."""


def nobody(_text: str) -> None:
    """A `Tell` where nobody wants to know."""


class Option(NamedTuple):
    """`--name` of ipvsload's and of Locust's command line.

    Its value is of its default's type, and one of `choices` if there are any.
    """

    name: str
    help: str
    default: str | int | float | bool = ""
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    demand: str = ""
    """What `ipvsload run` says where the option is missing; "" if it may be left out."""
    by_host: bool = False
    """Whether Locust's own -H says it under Locust's command."""

    @property
    def flag(self) -> str:
        """The option as it is written on a command line."""
        return "--" + self.name.replace("_", "-")


class TestbedRequest(NamedTuple):
    """What a testbed is made for."""

    options: OptionValues
    servers: int
    """How many real servers may join one service at most."""
    service: "Service"
    """The virtual service of the first run; those of others are made in the same place."""
    balancers: tuple[str, ...]
    """Balancers that will be used; others may follow."""
    hz: float
    """Samples of the kernel's table a second."""
    tell: Tell
    seed: int = 1
    """Of what the testbed itself leaves to chance."""
    forwardings: tuple[str, ...] = ()
    """How packets will reach the real servers; without any, as the service says."""
    progress: Tell = nobody
    """Is told what only matters to who watches; `tell` is told what everybody must know."""


class Doctor(NamedTuple):
    """Finds out whether a testbed can be had here; the last finding says so."""

    options: tuple[Option, ...]
    examine: "Callable[[OptionValues, Tell], Iterable[DoctorFinding]]"


class Restorer(NamedTuple):
    """Puts back what an interrupted run left changed; returns lines for people."""

    options: tuple[Option, ...]
    restore: Callable[[OptionValues, Tell], Iterable[str]]


class TestbedKind(NamedTuple):
    """One kind of testbed, as the value of --testbed names it."""

    name: str
    about: str
    """What it is, in a few words."""
    options: tuple[Option, ...]
    make: "Callable[[TestbedRequest], Testbed]"
    """Makes the testbed and does not start it. Raises UsageError for bad options."""
    balancers: tuple[str, ...]
    """Names of the balancers that it may have; see balancers.py."""
    default_balancer: str = ""
    """The balancer of a test without a scenario; "" takes the one that is there."""
    is_default: bool = False
    """Whether it is meant where nobody says which; true for exactly one kind."""
    has_own_network: bool = False
    """Whether the load can reach it only by sockets of its broker."""
    own_ports: int = 0
    """Local ports of each client address; 0 where the kernel of this machine chooses them."""
    imports_ssl: bool = False
    """Whether it imports ssl, which gevent must patch before."""
    restarts_sidecar: bool = True
    """Whether a sidecar that has ended can be started again, without a new testbed."""
    max_silence_s: float = 5.0
    """How long no sample may come before it counts as broken, in seconds."""
    doctor: Doctor | None = None
    restorer: Restorer | None = None

    @property
    def takes_host(self) -> bool:
        """Whether the load goes to an address that the user gives."""
        return any(option.by_host for option in self.options)

    def host(self, options: OptionValues) -> str:
        """That address among the values of these options; "" where there is none."""
        return next((str(options[one.name]) for one in self.options if one.by_host), "")
