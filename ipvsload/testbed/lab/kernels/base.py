"""What a kernel provider is: one way to have a kernel with IPVS as the lab's director.

A provider is a subclass of `KernelProvider` in a file of its own in this
folder. It is found there; nothing else lists the providers.
"""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, NamedTuple

PROCESSOR = os.uname().machine
"""This machine's kind of processor."""
NOT_HERE = "not on this processor"


class Place(NamedTuple):
    """What a provider is given for its kernel."""

    directors: int
    """How many of them the kernel is to be, each in a network namespace."""
    scratch: str
    """A directory for files of the kernel; it goes with the lab."""
    modules: Sequence[str]
    """Kernel modules to load at once; others follow on demand."""
    import_path: Sequence[str]
    """Where `python` finds ipvsload and pyroute2."""
    processor: int
    """A number that differs between labs: for who takes one processor only."""
    python: str = sys.executable
    """The interpreter in the director."""
    family: str = "ipv4"
    """One of addresses.PLANS."""


class Attempt(NamedTuple):
    """One way to start the director's kernel, with its agent, as a child process.

    It is started in the director's network namespace.
    The agent's lines come on the child's standard output; a kernel may print
    other lines between them.
    """

    label: str
    """The provider's name, or provider/variant: it stands before the reason of a failure."""
    argv: list[str]
    environment: dict[str, str]
    """Added to the supervisor's own."""
    descriptors: Sequence[int] = ()
    """Those that the child inherits."""
    prepare: Callable[[], None] | None = None
    """Runs in the child before the program."""
    first_line: str = ""
    """What the kernel must print within `first_line_within` seconds; "" for no such bound."""
    first_line_within: float = 0.0
    when_ready: Callable[[int], None] | None = None
    """Called with the child's process id when its director is ready, before anybody uses it."""


class KernelProvider(ABC):
    """A way to have a kernel as the director. Its class attributes are its registration."""

    name: ClassVar[str]
    """As `--kernel` and the record have it."""
    rank: ClassVar[int]
    """Its place in the order in which `auto` tries the providers, ascending."""
    mend: ClassVar[str]
    """For the doctor: how a person gets it on this machine."""
    packet_order_us: ClassVar[int] = 0
    """Two packets that left it by different cards, seen at most so far apart, may have passed the
    other way round. 0: they come in the order in which it works."""

    @abstractmethod
    def missing(self) -> str | None:
        """What this machine lacks for it, with the command that mends it, or None."""

    @abstractmethod
    def attempts(self, place: Place) -> Iterator[Attempt]:
        """The attempts to make, in order: several where there are several ways.

        Called in the director's network namespace; the next attempt is asked for
        when the one before has ended. Raises OSError or RuntimeError where no
        attempt can be made.
        """

    def has_module(self, _module: str, _option: str) -> bool | None:
        """Whether its kernel has this module, as far as that is known without starting it.

        `option` is the kernel's option for it, without CONFIG_.
        """
        return None

    def files(self) -> tuple[str, ...]:
        """Paths that it reads, so that nothing may be mounted over them."""
        return ()


def agent(
    place: Place, links: Sequence[str], modules: Sequence[str] = (), modules_at: str = "-"
) -> tuple[list[str], dict[str, str]]:
    """The command that runs the director's agent, and its environment.

    `links` are the director's network cards towards the clients and the servers,
    as its kernel names them; one card may be both. The interpreter is started without
    its site (-S).
    `modules_at` is the directory of the kernel's modules where the agent has to
    mount everything itself, else "-".
    """
    words = ("-S", "-m", "ipvsload.testbed.lab.director_agent", str(place.directors), place.family)
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(place.import_path)}
    return [place.python, *words, *links, modules_at, *modules], environment
