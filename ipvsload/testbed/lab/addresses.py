"""The lab's addresses in either family, from the ranges that are kept for documentation.

RFC 5737 keeps 192.0.2.0/24 and 198.51.100.0/24, RFC 3849 2001:db8::/32: nothing in
a lab can be mistaken for a machine that exists. The last part of an address is
the same in both, written with the same digits: client 1 is 192.0.2.101 or
2001:db8:1::101.
"""

from typing import NamedTuple


class AddressPlan(NamedTuple):
    """The two networks of a lab in one family."""

    endpoint: str
    """How an address and a port are written."""
    clients: str
    """What the addresses of clients begin with, and the virtual address."""
    servers: str
    """What the real servers' addresses begin with."""
    network_bits: int
    host_bits: int
    """Length of the prefix that is one address."""
    everywhere: str
    """The default route's prefix."""
    nobody: str
    """The last part of a network's address."""
    dad: str
    """What `ip addr add` is told besides: addresses must be there at once, and a virtual one is
    there several times."""

    @property
    def vip(self) -> str:
        """The virtual address."""
        return f"{self.clients}80"

    @property
    def client_network(self) -> str:
        """The clients' network with its prefix."""
        return f"{self.clients}{self.nobody}/{self.network_bits}"


IPV4, IPV6 = "ipv4", "ipv6"
PLANS = {
    IPV4: AddressPlan("{}:{}", "192.0.2.", "198.51.100.", 24, 32, "default", "0", ""),
    IPV6: AddressPlan("[{}]:{}", "2001:db8:1::", "2001:db8:2::", 64, 128, "::/0", "", " nodad"),
}
"""By the word of scenarios."""
