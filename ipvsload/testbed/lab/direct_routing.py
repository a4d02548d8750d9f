"""The wiring for replies that go past the director: direct routing, as most directors have it.

Packets arrive for the virtual address, in frames for one real server. All real
servers are in one namespace, so only the frame's address says which one is meant.
So each has a link address of its own, which the director is told beforehand
(nobody answers ARP), and here

    netdev ingress   takes frames for any of them, as a card of theirs would
    prerouting       gives each new connection to the listener of the one meant (tproxy)

The virtual address is on the servers' loopback, silent to ARP, as on every real
server behind such a director. What they send from it goes by a cable of its own
straight to the clients:

Of tunnels a process takes the packets out (`decapsulator.py`), and they go the same way.

    client namespace                                server namespace
    203.0.113.1   direct ======================== direct   203.0.113.2
    2001:db8:3::1                                          2001:db8:3::2
"""

import subprocess
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.testbed.lab import network
from ipvsload.testbed.lab.addresses import IPV4, IPV6
from ipvsload.testbed.lab.decapsulator import ENTRY, EXIT, TUNNELS
from ipvsload.testbed.lab.topology import CLIENT_CABLE, SERVER_CABLE, Topology

LINK = "direct"
"""Both ends of the cable, each in its namespace."""
_TABLE = 99
_PREFIX = "02:00"
"""Of the servers' link addresses: locally administered; the end of their IP address follows."""


class _Words(NamedTuple):
    """What differs between the families in commands, and the ends of the cable."""

    nft: str
    kind: str
    clients_end: str
    servers_end: str


_WORDS = {
    IPV4: _Words("ip", "ipv4_addr", "203.0.113.1/30", "203.0.113.2/30"),
    IPV6: _Words("ip6", "ipv6_addr", "2001:db8:3::1/126", "2001:db8:3::2/126"),
}
_TUNNEL_SIDE = f"""\
link add {ENTRY} type veth peer name {EXIT}
link set {ENTRY} up
link set {EXIT} up"""


def _end(address: str, topology: Topology) -> str:
    """The namespace's end of the cable."""
    return f"addr add {address} dev {LINK}{topology.plan.dad}\nlink set {LINK} up"


def _server_side(topology: Topology) -> str:
    words, plan = _WORDS[topology.family], topology.plan
    gateway = words.clients_end.partition("/")[0]
    return "\n".join(
        (
            f"addr add {plan.vip}/{plan.host_bits} dev lo{plan.dad}",
            _end(words.servers_end, topology),
            f"route add {plan.everywhere} via {gateway} dev {LINK} table {_TABLE}",
            # Of rules without a number the last one comes first.
            f"rule add from {plan.vip} lookup {_TABLE}",
        )
    )


def _lenient(link: str) -> dict[str, str]:
    # Replies come by another way than their requests, on either side. IPv6 does not mind.
    return {f"net/ipv4/conf/{name}/rp_filter": "0" for name in ("all", link)}


_SERVER_SYSCTLS = _lenient(SERVER_CABLE.far) | {
    # The virtual address is the director's to answer for; in IPv6 each link has its own.
    "net/ipv4/conf/all/arp_ignore": "1",
    "net/ipv4/conf/all/arp_announce": "2",
}


def link_address(host: str) -> str:
    """The link address of the real server with this IP address."""
    raw = inet_pton(AF_INET6 if ":" in host else AF_INET, host)
    return ":".join((_PREFIX, *(f"{one:02x}" for one in raw[-4:])))


def neighbours(topology: Topology) -> dict[str, str]:
    """What a director must be told: the link address of each real server."""
    return {host: link_address(host) for host in topology.server_hosts}


def has_tunnels(topology: Topology) -> bool:
    """Whether packets may come inside of others."""
    return any(FORWARDINGS[name].tunnel for name in topology.direct)


def wire_servers(topology: Topology, client_namespace: str) -> None:
    """In the server namespace, after network.server_side, where `topology` asks for it.

    `client_namespace` is a path. Raises OSError and RuntimeError.
    """
    if topology.direct:
        network.run_ip(f"link add {LINK} type veth peer name {LINK} netns {client_namespace}")
        if has_tunnels(topology):
            network.run_ip(_TUNNEL_SIDE)
            network.write_sysctls(_lenient(EXIT))
        network.configure(_SERVER_SYSCTLS, _server_side(topology), topology.family)
        _run_nft(ruleset(topology))


def wire_clients(topology: Topology) -> None:
    """In the client namespace, after `wire_servers`. Raises OSError and RuntimeError."""
    if topology.direct:
        words = _WORDS[topology.family]
        network.configure(_lenient(LINK), _end(words.clients_end, topology))
    if has_tunnels(topology):
        # So that a packet fits into another one. The director would tell a client so (ICMP),
        # and the client's kernel would note it for the route that is taken without a port
        # (net/ipv4/route.c, build_sk_flow_key): not the one through the second director.
        mtu = 1500 - TUNNELS[topology.family].outer
        network.run_ip(f"link set {CLIENT_CABLE.far} mtu {mtu}")


def ruleset(topology: Topology) -> str:
    """Input for `nft -f`, in the server namespace."""
    words, tunnel = _WORDS[topology.family], TUNNELS[topology.family]
    links = ", ".join((SERVER_CABLE.far, *([EXIT] if has_tunnels(topology) else ())))
    pairs = ", ".join(f"{mac} : {host}" for host, mac in neighbours(topology).items())
    return f"""\
table netdev ipvsload {{
  chain receive {{
    type filter hook ingress devices = {{ {links} }} priority 0
    ether daddr & ff:ff:00:00:00:00 == {_PREFIX}:00:00:00:00 meta pkttype set host
  }}
}}
table {words.nft} ipvsload {{
  map servers {{
    type ether_addr : {words.kind}
    elements = {{ {pairs} }}
  }}
  chain choose {{
    type filter hook prerouting priority mangle
    meta l4proto {tunnel.protocol} drop
    {words.nft} daddr {topology.vip} tcp flags & (syn | ack) == syn \
tproxy to ether daddr map @servers
  }}
}}
"""


def _run_nft(rules: str) -> None:
    """Run `nft` where the caller is. Raises RuntimeError with what it said."""
    try:
        done = subprocess.run(["nft", "-f", "-"], input=rules, text=True, capture_output=True)
    except FileNotFoundError:
        raise RuntimeError("no `nft`; install it with: apt-get install nftables") from None
    if done.returncode != 0:
        raise RuntimeError(
            f"nft: {done.stderr.strip()}\n(answers past the director want CONFIG_NFT_TPROXY and"
            " CONFIG_NF_TABLES_NETDEV of this machine's kernel)"
        )
