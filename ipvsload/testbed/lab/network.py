"""The lab's wiring as input for `ip -batch`, and its sysctls, made from the topology.

The supervisor wires the namespaces. A director's own side is configured by its
agent: the director may be the host's kernel in a namespace, or another kernel
that has the near ends of the cables as its network cards.
"""

import subprocess
from collections.abc import Iterable, Mapping

from ipvsload.testbed.lab.addresses import IPV4, IPV6, PLANS
from ipvsload.testbed.lab.topology import (
    BRIDGE,
    CABLES,
    CLIENT_CABLE,
    PROBE_SOURCE_PORTS,
    SERVER_CABLE,
    SOURCE_PORTS,
    TAP,
    Director,
    Topology,
    client_address,
    director,
)


def wires(client_namespace: str, server_namespace: str) -> str:
    """Run in the director's namespace: two veth pairs, far ends moved away.

    The namespaces are paths, or pids of processes in them.
    """
    lines = ["link set lo up"]
    for cable, there in zip(CABLES, (client_namespace, server_namespace), strict=True):
        lines += [
            f"link add {cable.near} type veth peer name {cable.far} netns {there}",
            f"link set {cable.near} up",
        ]
    return "\n".join(lines)


def bridge() -> str:
    """Run in the director's namespace: both cables' near ends are joined with the tap.

    They see nothing of each other, and to the clients goes what is theirs only.
    """
    lines = [
        # Forwards at once, whoever speaks first.
        f"link add {BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        *(f"link set {port} master {BRIDGE}" for port in (TAP, *(one.near for one in CABLES))),
        *(f"link set {one.near} type bridge_slave isolated on" for one in CABLES),
        # Real servers that answer past the director never say which link address they have.
        f"link set {CLIENT_CABLE.near} type bridge_slave flood off",
        f"link set {TAP} up",
        f"link set {BRIDGE} up",
    ]
    return "\n".join(lines)


def client_side(topology: Topology) -> str:
    """Run in the client namespace; a source port leads to its director."""
    link, plan = CLIENT_CABLE.far, topology.plan
    lines = ["link set lo up"]
    lines += [_address(address, topology.family, link) for address in topology.client_addresses]
    lines.append(f"link set {link} up")
    if topology.directors > 1:
        # All directors would answer to who asks for the virtual address's MAC.
        first, *_ = directors = topology.all_directors
        route = f"route add {plan.vip}/{plan.host_bits}"
        lines.append(f"{route} via {first.client_side} dev {link}")
        for one in directors:
            lines.append(f"{route} via {one.client_side} dev {link} table {_table(one)}")
            lines += _rules(topology, one, "sport")
    return "\n".join(lines)


def server_side(topology: Topology) -> str:
    """Run in the server namespace; an answer goes back through the director that sent it.

    What is answered is all that these namespaces ever send.
    """
    link, plan = SERVER_CABLE.far, topology.plan
    lines = ["link set lo up"]
    lines += [_address(host, topology.family, link) for host in topology.server_hosts]
    lines.append(f"link set {link} up")
    first, *_ = directors = topology.all_directors
    if topology.directors > 1:
        for one in directors:
            table = _table(one)
            lines.append(f"route add {plan.client_network} via {one.server_side} table {table}")
            lines += _rules(topology, one, "dport")
    lines.append(f"route add {plan.everywhere} via {first.server_side}")
    return "\n".join(lines)


def control_side(topology: Topology) -> str:
    """Run in the client namespace: the way to the directors' agent, which is IPv4 always."""
    if topology.family == IPV4:
        return ""
    return _address(client_address(1), IPV4, CLIENT_CABLE.far)


def _address(host: str, family: str, link: str) -> str:
    plan = PLANS[family]
    return f"addr add {host}/{plan.network_bits} dev {link}{plan.dad}"


def _table(director: Director) -> int:
    """The number of its routing table, in the clients' and in the servers' namespace."""
    return 100 + director.number


def _rules(topology: Topology, director: Director, port: str) -> list[str]:
    """The load's and the probes' ports of this director; `port` is "sport" or "dport"."""
    ranges = (
        topology.ports_through(director.number, ports)
        for ports in (SOURCE_PORTS, PROBE_SOURCE_PORTS)
    )
    return [f"rule add {port} {r[0]}-{r[-1]} lookup {_table(director)}" for r in ranges]


def split_card(card: str) -> str:
    """Run in a director with one network card, its client side: a link on it to the servers.

    What is sent by either leaves by the card, in the order in which it was sent.
    """
    return f"link add link {card} name {SERVER_LINK} type macvlan mode bridge\nlink set {card} up"


SERVER_LINK = "servers"
"""The name of this link."""
ONE_CARD_SYSCTLS = {
    # Before the card is up: in the usual queue, fq_codel, new connections overtake others.
    "net/core/default_qdisc": "pfifo",
}


def further_links(client_link: str, server_link: str, namespaces: Iterable[str]) -> str:
    """Run in the first director: links for the others, each in its namespace, on the same cards.

    The namespaces are paths.
    """
    return "\n".join(
        f"link add link {card} name {name} netns {namespace} type macvlan mode bridge"
        for namespace in namespaces
        for card, name in zip((client_link, server_link), FURTHER_LINKS, strict=True)
    )


FURTHER_LINKS = "to-clients", "to-servers"
"""The names of another director's links; the kernel wants others than the first has."""


def director_side(number: int, family: str, client_link: str, server_link: str) -> str:
    """Run in director `number`: its two sides and the virtual address.

    The links are its network cards, as its kernel names them, or SERVER_LINK, or FURTHER_LINKS.
    """
    plan, one = PLANS[family], director(number, family)
    lines = [
        "link set lo up",
        _address(one.client_side, family, client_link),
        f"addr add {plan.vip}/{plan.host_bits} dev {client_link}{plan.dad}",
        _address(one.server_side, family, server_link),
        f"link set {client_link} up",
        f"link set {server_link} up",
    ]
    if family != IPV4 and number == 1:  # for the agent
        lines.append(_address(director(1).client_side, IPV4, client_link))
    return "\n".join(lines)


def run_ip(batch: str, family: str = "") -> None:
    """Run `ip -batch` where the caller is. Raises RuntimeError with what it said.

    Rules without an address are of `family`, by default IPv4.
    """
    command = ["ip", *_OPTIONS[family], "-batch", "-"]
    try:
        done = subprocess.run(command, input=batch, text=True, capture_output=True)
    except FileNotFoundError:
        raise RuntimeError("no `ip`; install it with: apt-get install iproute2") from None
    if done.returncode != 0:
        raise RuntimeError(f"ip: {done.stderr.strip()}")


def write_sysctls(values: Mapping[str, str]) -> None:
    """Set kernel parameters of the namespace or kernel that the caller is in.

    Names are paths below /proc/sys. Raises OSError.
    """
    for name, value in values.items():
        with open(f"/proc/sys/{name}", "w") as file:
            file.write(value)


def configure(sysctls: Mapping[str, str], batch: str, family: str = "") -> None:
    """Both of them. Raises OSError and RuntimeError."""
    write_sysctls(sysctls)
    run_ip(batch, family)


_OPTIONS = {"": [], IPV4: ["-4"], IPV6: ["-6"]}


def client_sysctls(family: str) -> dict[str, str]:
    """Of the client namespace."""
    return {
        # A port that comes round again while IPVS still holds its connection in
        # TIME_WAIT (120 s) costs a request a second or more: use them all.
        "net/ipv4/ip_local_port_range": "1024 65535",
        **_ipv6(family),
    }


def server_sysctls(family: str) -> dict[str, str]:
    """Of the server namespace."""
    return {
        "net/core/somaxconn": "65535",
        "net/ipv4/tcp_max_syn_backlog": "65535",
        **_ipv6(family),
    }


def _ipv6(family: str) -> dict[str, str]:
    # Where it is not used, nothing of it shall be on the cables.
    return {"net/ipv6/conf/all/disable_ipv6": "0" if family == IPV6 else "1"}


WIRE_SYSCTLS = {
    # The cables' ends in the director's namespace must stay silent where
    # another kernel owns them.
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
}


def director_sysctls(family: str) -> dict[str, str]:
    """Of each director."""
    # IPVS refuses by ICMP when it has no server to give; six and then one a
    # second would make the next run wait for what the last one was refused.
    if family == IPV6:
        return {
            **_ARP,
            "net/ipv6/conf/all/disable_ipv6": "0",  # after WIRE_SYSCTLS, in this machine's kernel
            "net/ipv6/conf/all/forwarding": "1",
            "net/ipv6/icmp/ratelimit": "0",
        }
    return {**_ARP, "net/ipv4/ip_forward": "1", "net/ipv4/icmp_ratelimit": "0"}


# Where one card is both sides, both hear who is asked for; the one with the address answers.
_ARP = {"net/ipv4/conf/all/arp_ignore": "1"}
