"""What a lab consists of: how many of everything, with which links, addresses and ports.

    client namespace          director               server namespace
    192.0.2.101...   c0 === d0        d1 === s0   198.51.100.11...
                        VIP 192.0.2.80

Data only, so that nothing else must know an address or the name of a link;
`network.py` makes commands of it. All addresses are from the ranges that RFC
5737 keeps for documentation: nothing in a lab can be mistaken for a machine
that exists. Every lab has the same ones, in network namespaces of its own.

Several directors are network namespaces of one kernel, each with the same
virtual address and an address of its own towards clients and servers. The
client's source port decides which of them a connection goes through, on both
sides: it is all that the real servers know of a connection besides the client's
address, and so one client can use several directors.
"""

from collections.abc import Sequence
from typing import NamedTuple

CLIENT_NETWORK = "192.0.2"
SERVER_NETWORK = "198.51.100"

CONTROL_PORT = 7070
"""The director's agent listens here, on the director's client side."""
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
VIP = f"{CLIENT_NETWORK}.80"
_FIRST_CLIENT = 101
_FIRST_SERVER = 11
_FIRST_SERVER_PORT = 80
MAX_HOSTS = 238
"""So that six directors' addresses have room behind them, and ten before them."""


class Cable(NamedTuple):
    """A veth pair between the director and the clients or the servers.

    A kernel of its own may have `near` as its network card, or, as a virtual
    machine, the tap that a bridge joins with `near`.
    """

    near: str
    """The end in the director's namespace."""
    far: str
    """The end in the clients' or the servers' namespace."""
    bridge: str
    tap: str
    mac: str
    """Of a virtual machine's network card."""


CLIENT_CABLE, SERVER_CABLE = (
    Cable(f"d{card}", f"{far}0", f"b{card}", f"t{card}", f"52:54:00:00:00:{card + 1:02x}")
    for card, far in enumerate("cs")
)
CABLES = CLIENT_CABLE, SERVER_CABLE
"""In the order of the director's network cards."""


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
    """Of the choice of directors where it is random."""
    direct: Sequence[str] = ()
    """How packets may reach the real servers besides masquerading; replies then go past."""

    @property
    def server_addresses(self) -> list[str]:
        """address:port of each real server."""
        return [server_address(number) for number in range(1, self.servers + 1)]

    def server_addresses_on(self, port: int) -> list[str]:
        """Theirs where each listens on this port; there are MAX_HOSTS at most."""
        return [f"{host}:{port}" for host in self.server_hosts]

    @property
    def server_hosts(self) -> list[str]:
        """The real servers' addresses without ports, each once."""
        return list(dict.fromkeys(name.partition(":")[0] for name in self.server_addresses))

    @property
    def client_addresses(self) -> list[str]:
        """Source addresses of the load."""
        return [client_address(number) for number in range(1, self.clients + 1)]

    @property
    def all_directors(self) -> list[Director]:
        """Each with its addresses."""
        return [director(number) for number in range(1, self.directors + 1)]

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


def client_address(number: int) -> str:
    """Source address of client `number`, counted from 1 to MAX_CLIENTS."""
    return f"{CLIENT_NETWORK}.{_FIRST_CLIENT + number - 1}"


def server_address(number: int) -> str:
    """address:port of real server `number`, counted from 1.

    The network has room for 238 addresses; beyond them the same addresses
    serve on the next port, which to IPVS is a real server of its own.
    """
    row, column = divmod(number - 1, MAX_HOSTS)
    return f"{SERVER_NETWORK}.{_FIRST_SERVER + column}:{_FIRST_SERVER_PORT + row}"


def director(number: int) -> Director:
    """Director `number`, counted from 1 to MAX_DIRECTORS."""
    behind = 0 if number < _FIRST_SERVER else MAX_HOSTS
    return Director(
        number,
        client_side=f"{CLIENT_NETWORK}.{number}",
        server_side=f"{SERVER_NETWORK}.{behind + number}",
    )
