"""What a lab consists of: how many of everything, with which links, addresses and ports.

    client namespace         director 1              server namespace
    192.0.2.101...   c0 === d0        d1 === s0   198.51.100.11...
                        VIP 192.0.2.80

Data only, so that nothing else must know an address or the name of a link;
`network.py` makes commands of it. All addresses are from the ranges that RFC
5737 keeps for documentation: nothing in a lab can be mistaken for a machine
that exists. Every lab has the same ones, in network namespaces of its own.

Each director has a namespace of its own, and a cable to the clients and one to
the servers. With several directors each client's replies come back through the
one director that it belongs to: real servers see the client's address, so only
that address can tell the way.
"""

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
MAX_DIRECTORS = 10
_FIRST_DIRECTOR = 1
_FIRST_VIP = 80
_FIRST_CLIENT = 101
_FIRST_SERVER = 11
_FIRST_SERVER_PORT = 80
_SERVER_ADDRESSES = 240


class Cable(NamedTuple):
    """A veth pair between a director and the clients or the servers.

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


class Director(NamedTuple):
    """A director's addresses and cables."""

    number: int
    """Counted from 1."""
    vip: str
    client_side: str
    server_side: str
    client_cable: Cable
    server_cable: Cable

    @property
    def cables(self) -> tuple[Cable, Cable]:
        """In the order of its network cards."""
        return self.client_cable, self.server_cable


class Topology(NamedTuple):
    """A lab of so many parts: at most MAX_CLIENTS and MAX_DIRECTORS."""

    servers: int = 2
    clients: int = 1
    directors: int = 1

    @property
    def server_addresses(self) -> list[str]:
        """address:port of each real server."""
        return [server_address(number) for number in range(1, self.servers + 1)]

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
        """Each with its addresses and cables."""
        return [director(number) for number in range(1, self.directors + 1)]

    def clients_of(self, number: int) -> list[str]:
        """The source addresses that belong to director `number`."""
        return self.client_addresses[number - 1 :: self.directors]


def client_address(number: int) -> str:
    """Source address of client `number`, counted from 1 to MAX_CLIENTS."""
    return f"{CLIENT_NETWORK}.{_FIRST_CLIENT + number - 1}"


def server_address(number: int) -> str:
    """address:port of real server `number`, counted from 1.

    The network has room for 240 addresses; beyond them the same addresses
    serve on the next port, which to IPVS is a real server of its own.
    """
    row, column = divmod(number - 1, _SERVER_ADDRESSES)
    return f"{SERVER_NETWORK}.{_FIRST_SERVER + column}:{_FIRST_SERVER_PORT + row}"


def director(number: int) -> Director:
    """Director `number`, counted from 1 to MAX_DIRECTORS."""
    index = number - 1
    client_cable, server_cable = (
        Cable(
            near=f"d{card}",
            far=f"{far}{index}",
            bridge=f"b{card}",
            tap=f"t{card}",
            mac=f"52:54:00:00:{index:02x}:{card + 1:02x}",
        )
        for card, far in enumerate("cs")
    )
    return Director(
        number,
        vip=f"{CLIENT_NETWORK}.{_FIRST_VIP + index}",
        client_side=f"{CLIENT_NETWORK}.{_FIRST_DIRECTOR + index}",
        server_side=f"{SERVER_NETWORK}.{_FIRST_DIRECTOR + index}",
        client_cable=client_cable,
        server_cable=server_cable,
    )
