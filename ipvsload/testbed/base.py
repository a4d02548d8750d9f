"""What a run needs of the place that it runs in.

A testbed has a balancer and real servers. The same few verbs serve the lab, a
cluster, or a director that is already there; whatever brings it up undoes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ipvsload.scenario.capabilities import Capability

ONE_CLIENT = "here the load has this machine's own address; the lab has more"
"""Why a testbed lacks "clients"."""


@dataclass(frozen=True, slots=True)
class Target:
    """A virtual service to send load to.

    `key` is its name in samples: "tcp 192.0.2.80:80"; "" where no IPVS table has it.
    """

    key: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Service:
    """A virtual service as a run begins with it.

    `servers` are its real servers' addresses and weights, in the order of
    joining; `baseline` what the kernel had counted for them before.
    """

    target: Target
    scheduler: str
    servers: Sequence[tuple[str, int]]
    baseline: Mapping[str, int] = field(default_factory=dict)


class Stream(Protocol):
    """The sidecar's standard input and output."""

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...

    def close(self) -> None: ...


class Testbed(Protocol):
    """One balancer. Every method raises TestbedError when it cannot do its part."""

    name: str

    @property
    def door(self) -> str:
        """Where generators get their sockets; "" where any of this machine's will do."""

    @property
    def lacks(self) -> Mapping[Capability, str]:
        """What it cannot do, each with the reason; more may come to light with `start`."""

    @property
    def room(self) -> int:
        """How many real servers can ever join a service of `begin`."""

    def start(self) -> None:
        """Begin to come up; returns early so that the caller can work meanwhile."""

    def wait_ready(self) -> None:
        """Come up, with the path to every real server warm."""

    @property
    def kernel(self) -> dict[str, str]:
        """The director's kernel: {"release": ..., "provider": ...}."""

    def open_samples(self, hz: float) -> Stream:
        """Start the sidecar beside the kernel's table."""

    def retransmits(self) -> int:
        """TCP retransmission timeouts until now where the load comes from."""

    def begin(self, scheduler: str, weights: Sequence[int]) -> Service:
        """A virtual service, where possible a fresh one with one real server a weight."""

    def set_scheduler(self, scheduler: str) -> None:
        """Change the scheduler in place."""

    def add_server(self, weight: int) -> str:
        """One more real server joins; its address."""

    def set_weight(self, address: str, weight: int) -> None: ...

    def remove_server(self, address: str) -> None:
        """Take it out of the kernel's table."""

    def kill_server(self, address: str) -> None:
        """Its process dies; the table is left as it is."""

    def chosen_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None]:
        """The real server of each connection, by its client address and port.

        As far as the kernel remembers: None where it does not, or where this
        testbed cannot ask it.
        """

    def end(self) -> None:
        """Remove the service of `begin`."""

    def fileno(self) -> int:
        """Readable when `broken` has something to say."""

    def broken(self) -> Exception | None:
        """What has died, if anything; does not wait."""

    def close(self) -> None:
        """Undo everything; safe to call twice and at any time."""
