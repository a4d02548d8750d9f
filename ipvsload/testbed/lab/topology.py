"""What a lab consists of: how many of everything, with which links, addresses and ports.

    client namespace          director               server namespace
    192.0.2.101...   c0 === d0        d1 === s0   198.51.100.11...
                        VIP 192.0.2.80

Data only, so that nothing else must know an address or the name of a link;
`network.py` makes commands of it. Every lab has the same addresses
(`addresses.py`), in network namespaces of its own.

Several directors are network namespaces of one kernel, each with the same
virtual address and an address of its own towards clients and servers. The
client's source port decides which of them a connection goes through, on both
sides: it is all that the real servers know of a connection besides the client's
address, and so one client can use several directors.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ipvsload.testbed.lab.addresses import IPV4, PLANS, AddressPlan

CONTROL_PORT = 7070
"""The director's agent listens here, on the director's client side, in IPv4 always."""
PROBE_PORT = 7
"""The path is warmed on this port of the VIP, in a service of its own."""
FIRST_SERVICE_PORT = 80
"""Port of the first run's service. Later runs count up from it: a real server
that is removed keeps its counters for 120 s and would bring them back into a
service with the same address (ip_vs_ctl.c, ip_vs_trash_get_dest)."""
PROBE_SOURCE_PORTS = range(1_024, 2_048)
SOURCE_PORTS = range(2_048, 65_536)
"""The load's, on each client address; the probes' must not be among them."""

MAX_CLIENTS = 100
MAX_DIRECTORS = 16
VIP = PLANS[IPV4].vip
"""The virtual address of a lab in IPv4."""
_FIRST_CLIENT = 101
_FIRST_SERVER = 11
_FIRST_SERVER_PORT = 80
MAX_HOSTS = 238
"""So that six directors' addresses have room behind them, and ten before them."""


class Cable(NamedTuple):
    """A veth pair between the director and the clients or the servers.

    A kernel of its own may have `near` as its network card, or, as a virtual
    machine, one card at the tap that a bridge joins with both.
    """

    near: str
    """The end in the director's namespace."""
    far: str
    """The end in the clients' or the servers' namespace."""


CLIENT_CABLE, SERVER_CABLE = (Cable(f"d{card}", f"{far}0") for card, far in enumerate("cs"))
CABLES = CLIENT_CABLE, SERVER_CABLE
"""In the order of the director's network cards."""
BRIDGE, TAP = "b0", "t0"
"""A virtual machine's, in the director's namespace."""


class Director(NamedTuple):
    """A director's own addresses."""

    number: int
    """Counted from 1."""
    client_side: str
    server_side: str


class Topology(NamedTuple):
    """A lab of so many parts: at most MAX_CLIENTS and MAX_DIRECTORS."""

    servers: int = 2
    clients: int = 1
    directors: int = 1
    spread: str = "connection"
    """How connections find a director: one of scenario.names.Spread."""
    seed: int = 1
    """Of the choice of directors and ports where it is random."""
    direct: Sequence[str] = ()
    """How packets may reach the real servers besides masquerading; replies then go past."""
    source_ports: str | int = "in-turn"
    """The load's: "in-turn", "random", or how few for each client address and director."""
    family: str = IPV4
    """One of PLANS: of clients, virtual address and real servers."""

    @property
    def plan(self) -> AddressPlan:
        """Its networks."""
        return PLANS[self.family]

    @property
    def vip(self) -> str:
        """The virtual address."""
        return self.plan.vip

    @property
    def server_addresses(self) -> list[str]:
        """address:port of each real server."""
        return [server_address(number, self.family) for number in range(1, self.servers + 1)]

    def server_addresses_on(self, port: int) -> list[str]:
        """Theirs where each listens on this port; there are MAX_HOSTS at most."""
        return [self.plan.endpoint.format(host, port) for host in self.server_hosts]

    @property
    def server_hosts(self) -> list[str]:
        """The real servers' addresses without ports, each once."""
        rows = range(1, min(self.servers, MAX_HOSTS) + 1)
        return [_server_host(number, self.family) for number in rows]

    @property
    def client_addresses(self) -> list[str]:
        """Source addresses of the load."""
        return [client_address(number, self.family) for number in range(1, self.clients + 1)]

    @property
    def all_directors(self) -> list[Director]:
        """Each with its addresses."""
        return [director(number, self.family) for number in range(1, self.directors + 1)]

    @property
    def director_ports(self) -> list[range]:
        """The load's source ports that lead through each director."""
        return [self.ports_through(one.number) for one in self.all_directors]

    def ports_through(self, number: int, ports: range = SOURCE_PORTS) -> range:
        """Those of the source ports whose connections go through director `number`."""
        if self.directors > 1:
            # No rule can have the last port (net/fib_rules.h, fib_rule_port_range_valid).
            ports = range(ports.start, min(ports.stop, 65_535))
        first, behind = (len(ports) * n // self.directors for n in (number - 1, number))
        return ports[first:behind]


def client_address(number: int, family: str = IPV4) -> str:
    """Source address of client `number`, counted from 1 to MAX_CLIENTS."""
    return f"{PLANS[family].clients}{_FIRST_CLIENT + number - 1}"


def server_address(number: int, family: str = IPV4) -> str:
    """address:port of real server `number`, counted from 1.

    The network has room for 238 addresses; beyond them the same addresses
    serve on the next port, which to IPVS is a real server of its own.
    """
    port = _FIRST_SERVER_PORT + (number - 1) // MAX_HOSTS
    return PLANS[family].endpoint.format(_server_host(number, family), port)


def _server_host(number: int, family: str) -> str:
    return f"{PLANS[family].servers}{_FIRST_SERVER + (number - 1) % MAX_HOSTS}"


def director(number: int, family: str = IPV4) -> Director:
    """Director `number`, counted from 1 to MAX_DIRECTORS."""
    behind = 0 if number < _FIRST_SERVER else MAX_HOSTS
    return Director(
        number,
        client_side=f"{PLANS[family].clients}{number}",
        server_side=f"{PLANS[family].servers}{behind + number}",
    )
