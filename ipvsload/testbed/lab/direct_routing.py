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
"""

import subprocess

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.testbed.lab import network
from ipvsload.testbed.lab.decapsulator import ENTRY, EXIT, IP_IN_IP
from ipvsload.testbed.lab.topology import CLIENT_CABLE, SERVER_CABLE, VIP, Topology

LINK = "direct"
"""Both ends of the cable, each in its namespace."""
_CLIENTS_END, _SERVERS_END = "203.0.113.1", "203.0.113.2"
_TABLE = 99
_INNER_MTU = 1480
"""So that a packet fits into another one. The director would tell a client so (ICMP), and the
client's kernel would note it for the route that is taken without a port (net/ipv4/route.c,
build_sk_flow_key), which is not the one through the second director."""
_PREFIX = "02:00"
"""Of the servers' link addresses: locally administered; their IP address follows."""


_CLIENT_SIDE = f"""\
addr add {_CLIENTS_END}/30 dev {LINK}
link set {LINK} up"""
_SERVER_SIDE = f"""\
addr add {VIP}/32 dev lo
addr add {_SERVERS_END}/30 dev {LINK}
link set {LINK} up
route add default via {_CLIENTS_END} dev {LINK} table {_TABLE}
rule add from {VIP} lookup {_TABLE}"""  # of rules without a number the last one comes first


_TUNNEL_SIDE = f"""\
link add {ENTRY} type veth peer name {EXIT}
link set {ENTRY} up
link set {EXIT} up"""


def _lenient(link: str) -> dict[str, str]:
    # Replies come by another way than their requests, on either side.
    return {f"net/ipv4/conf/{name}/rp_filter": "0" for name in ("all", link)}


_CLIENT_SYSCTLS = _lenient(LINK)
_SERVER_SYSCTLS = _lenient(SERVER_CABLE.far) | {
    # The virtual address is the director's to answer for.
    "net/ipv4/conf/all/arp_ignore": "1",
    "net/ipv4/conf/all/arp_announce": "2",
}


def link_address(host: str) -> str:
    """The link address of the real server with this IPv4 address."""
    return ":".join((_PREFIX, *(f"{int(part):02x}" for part in host.split("."))))


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
        network.configure(_SERVER_SYSCTLS, _SERVER_SIDE)
        _run_nft(ruleset(topology))


def wire_clients(topology: Topology) -> None:
    """In the client namespace, after `wire_servers`. Raises OSError and RuntimeError."""
    if topology.direct:
        network.configure(_CLIENT_SYSCTLS, _CLIENT_SIDE)
    if has_tunnels(topology):
        network.run_ip(f"link set {CLIENT_CABLE.far} mtu {_INNER_MTU}")


def ruleset(topology: Topology) -> str:
    """Input for `nft -f`, in the server namespace."""
    links = ", ".join((SERVER_CABLE.far, *([EXIT] if has_tunnels(topology) else ())))
    pairs = ", ".join(f"{mac} : {host}" for host, mac in neighbours(topology).items())
    return f"""\
table netdev ipvsload {{
  chain receive {{
    type filter hook ingress devices = {{ {links} }} priority 0
    ether daddr & ff:ff:00:00:00:00 == {_PREFIX}:00:00:00:00 meta pkttype set host
  }}
}}
table ip ipvsload {{
  map servers {{
    type ether_addr : ipv4_addr
    elements = {{ {pairs} }}
  }}
  chain choose {{
    type filter hook prerouting priority mangle
    ip protocol {IP_IN_IP} drop
    ip daddr {VIP} tcp flags & (syn | ack) == syn tproxy to ether daddr map @servers
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
