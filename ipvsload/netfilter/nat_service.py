"""A virtual service that rules of network address translation balance, as values. Pure.

Rules have no weights: a server is among those that are drawn from (1), or it is
not (0) and keeps the connections that it has.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

NAMESPACE, NAME = "ipvsload", "service"
"""What the Service would be called in a cluster: kube-proxy makes names and comments of it."""


CLOSING = 0x1
"""The bit of a connection's mark that says that one side has sent its end. kube-proxy does
not set it: with it the kernel can list open connections without the many closed ones."""


class NatService(NamedTuple):
    """The TCP service at `vip`:`port`; its servers ("address:port") and their weights, 0 or 1."""

    vip: str
    port: int
    weights: Mapping[str, int]

    @property
    def port_name(self) -> str:
        """The name of the Service's port."""
        return f"p{self.port}"

    @property
    def drawn(self) -> list[str]:
        """The servers that get new connections, in the order of joining."""
        return [server for server, weight in self.weights.items() if weight]


class Changes(NamedTuple):
    """Every service that there is to be, and what of the one that changed is new or has gone.

    Old servers' own chains are not written again: their counters begin at 0 with them.
    """

    services: Sequence[NatService]
    changed: NatService
    new: Sequence[str] = ()
    gone: Sequence[str] = ()


class NatRules(Protocol):
    """How one kind of rules is written, as text for a program."""

    @property
    def program(self) -> tuple[str, ...]:
        """The command that takes the text on its standard input."""

    @property
    def package(self) -> str:
        """Debian's package that brings it."""

    @property
    def modules_to_remove(self) -> tuple[str, ...]:
        """Those that go on looking at packets when no rule is left."""

    @property
    def clear(self) -> tuple[tuple[str, ...], ...]:
        """Commands to run when the last service has gone, so that nothing is left."""

    def write(self, changes: Changes) -> str:
        """The text that makes the changes, in one transaction a table."""


class NatEntry(NamedTuple):
    """A service as the kernel's rules have it; ports are in network order, as the kernel's.

    `servers` are (address, port, weight, connections) each.
    """

    balancer: str
    address: bytes
    port: int
    servers: list[tuple[bytes, int, int, int]]
