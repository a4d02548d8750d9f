"""What a run asks of a testbed, so that the same engine plays a scenario anywhere.

A testbed has one balancer and real servers: the lab, a cluster, a director
that is there already. What a testbed changes, its `close` undoes.

The protocol is four small ones. Whoever needs only a part asks for that part.
Every method raises TestbedError when it cannot do its work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ipvsload.ipvs.forwarding import MASQUERADING
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.server_conditions import ServerFault
from ipvsload.scenario.url import Tls

if TYPE_CHECKING:  # it imports numpy
    from ipvsload.record.packet_table import PacketTable

LAB_ONLY: Mapping[Capability, str] = {
    "clients": "here the load has this machine's own address; the lab has more",
    "source-ports": "here this machine's kernel chooses the ports; the lab chooses its own",
    "family": "which addresses are used, the URL here says; the lab has those of either family",
    "directors": "the directors are those that are there; the lab makes as many as are asked for",
    "capacity": "how many requests its real servers work on at once is their own affair, and they"
    " do not tell; those of the lab can be limited",
    "forwarding": "how packets reach the real servers is as it is set up here, and is measured so",
    "flags": "a scheduler's flags are as they are set here; the lab sets them",
    "netmask": "whose addresses persistence takes together is as it is set here; the lab sets it",
    "sysctls": "IPVS's sysctls here are not ours to set; the lab has its own director",
    "timeouts": "IPVS's timeouts here are not ours to set; the lab has its own director",
}
"""What only the lab can give, because it makes all of itself, and why others cannot."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """The virtual service that a run asks for.

    `balancer` is a name in `scenario.balancers`; "" takes the one that is there.
    `weights` has one entry for each real server, in the order of joining;
    without any, the real servers that are there are taken. `capacity` is that of
    each real server; without it they are not limited. `forwarding` is how packets
    reach them, one of FORWARDINGS. `settings` are for this service alone: `end`
    puts back what is changed of the director. What a testbed draws at random is the same for
    all runs of one `repeat`.
    """

    balancer: str
    weights: tuple[int, ...] = ()
    capacity: Capacity | None = None
    forwarding: str = MASQUERADING
    settings: BalancerSettings = field(default_factory=BalancerSettings)
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes.

    `key` is the virtual service's name in samples, such as "tcp 192.0.2.80:80";
    "" where no IPVS table has it. With `tls` its real servers are https servers.
    """

    key: str
    host: str
    port: int
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class ServiceUnderTest:
    """A virtual service at the start of a run.

    `balancer` is the one that the kernel really uses. `servers` are the real
    servers' addresses and weights, in the order of joining. `baseline` is the
    number of connections that the kernel had counted for each before the run.
    `guess` says in words why the service is only a guess; "" where it is none.
    `director_ports` has for each of several directors the client ports whose
    connections go through it; without any, there is one, or nobody knows.
    `forwarding` is how packets reach the real servers; "" where that is not known.
    `netmask` is how many bits of a client's address count for its persistence;
    None where nobody has asked.
    """

    target: Target
    balancer: str
    servers: Sequence[tuple[str, int]]
    baseline: Mapping[str, int] = field(default_factory=dict)
    guess: str = ""
    director_ports: Sequence[range] = ()
    forwarding: str = ""
    netmask: int | None = None


class SidecarPipe(Protocol):
    """The sidecar's standard input and output."""

    def recv(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of it."""

    def close(self) -> None:
        """Close both directions."""


class WatchedPackets(NamedTuple):
    """The packets of one run, on the generator's clock (`time.monotonic_ns()`).

    `dropped` more were seen and are lost. `cpu_s` are the seconds of processor that this
    took here. `why` says why there are none, or not all; "" where all are there.
    """

    table: "PacketTable"
    dropped: int = 0
    cpu_s: float = 0.0
    why: str = ""


class PacketWatch(Protocol):
    """Who can watch the packets of a run at the director."""

    def begin(self, service: ServiceUnderTest) -> None:
        """Watch from now on what goes to this service and comes from it."""

    def take(self) -> None:
        """Take what was seen since; a run calls it ten times a second, and does not wait."""

    def end(self) -> WatchedPackets:
        """What was seen; nothing is watched any more."""


class Lifecycle(Protocol):
    """How a testbed comes up, breaks and goes."""

    def start(self) -> None:
        """Begin to come up. Returns early, so that the caller can work meanwhile."""

    def wait_ready(self) -> None:
        """Wait until it is up and the path to every real server has been used once."""

    def fileno(self) -> int:
        """A descriptor that becomes readable when `broken` has something to say."""

    def broken(self) -> Exception | None:
        """What has failed since the start, or None. Does not wait."""

    def release(self) -> None:
        """Undo what does not go by itself. What does may still be going: `close` waits for it."""

    def close(self) -> None:
        """Undo everything. Safe to call twice and at any time."""


class BalancerControl(Protocol):
    """The virtual service of a run and its real servers."""

    @property
    def lacks(self) -> Mapping[Capability, str]:
        """What it cannot do, with the reason for each; `start` may add more."""

    @property
    def max_real_servers(self) -> int:
        """How many real servers can ever join one service of `begin`."""

    def missing_balancers(self, balancers: Sequence[str]) -> Mapping[str, str]:
        """Which of these it surely cannot have, with the reason for each.

        Asked when it is ready, before the first run, so that a scheduler that the
        kernel lacks is not found after hours. Nothing of others is changed.
        """

    def refused_settings(self, settings: BalancerSettings) -> str:
        """Why it surely cannot set one of these; "" where it may.

        Asked like `missing_balancers`. What it never can is in `lacks`.
        """

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        """Provide the virtual service; a new one wherever that is possible."""

    def set_balancer(self, balancer: str) -> None:
        """Change the balancer of the service; its connections stay."""

    def add_server(self, weight: int) -> str:
        """Have one more real server join. Returns its address."""

    def set_weight(self, address: str, weight: int) -> None:
        """Change a real server's weight; 0 gives it no new connections."""

    def remove_server(self, address: str) -> None:
        """Take a real server out of the service. Its process goes on."""

    def fault_server(self, address: str, fault: ServerFault) -> None:
        """Do this to a real server. The kernel's table is left as it is."""

    def set_server_speed(self, address: str, speed: float) -> None:
        """Have a real server do its work at this speed; 1 is its usual one."""

    def retire(self) -> Callable[[], None] | None:
        """Put back what was set for the service of `begin`, which stays until its counts settle.

        Returns what removes it then, also after the next `begin`. None where a service has to
        go before the next one comes: nothing was done, and `end` is to be called.
        """

    def end(self) -> None:
        """Remove the service of `begin`."""


class Observation(Protocol):
    """What a run asks of the balancer, besides its table."""

    exclusive: bool
    """Whether nobody else uses the balancer, and every answer names its real server.

    Then each connection in the kernel's counters must be one of the generator's.
    """

    @property
    def kernel(self) -> dict[str, Any]:
        """The director's kernel: {"release": ..., "provider": ...} and what else is known.

        "lc_law" is how much an active connection counts beside a finished one under lc and its kin.
        "packet_order_us": of packets by different cards so far apart, either may have been first.
        """

    @property
    def packet_watch(self) -> PacketWatch | None:
        """Who can watch packets, when it is ready; None where nobody does."""

    def tcp_timeouts(self) -> int:
        """TCP retransmission timeouts until now where the load is sent from."""

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None] | None:
        """The real server of each connection, by its client address and port.

        None for one that the kernel gave to none, or has forgotten; None instead
        of the list where the kernel cannot be asked.
        """


class Streams(Protocol):
    """What is told all the time, and from where the load is sent."""

    @property
    def has_samples(self) -> bool:
        """Whether there is a way to read the kernel's table."""

    @property
    def socket_broker(self) -> str:
        """The name of the broker that gives generators their sockets; "" where none is needed."""

    def open_samples(self, hz: float) -> SidecarPipe:
        """Start the sidecar beside the kernel's table; `hz` samples a second."""

    def open_occupancy(self, hz: float) -> SidecarPipe | None:
        """What the real servers tell of themselves, `hz` times a second; None where they do not.

        Lines of JSON: `record/occupancy_stream.py`.
        """


class PlayedTestbed(BalancerControl, Observation, Protocol):
    """What a run needs of a testbed that is up, and of a model of one."""


class Testbed(Lifecycle, PlayedTestbed, Streams, Protocol):
    """One balancer with its real servers."""
