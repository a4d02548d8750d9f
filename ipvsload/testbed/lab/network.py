"""The lab's wiring as input for `ip -batch`, and its sysctls, made from the topology.

The supervisor wires the namespaces. A director's own side is configured by its
agent: the director may be the host's kernel in a namespace, or another kernel
that has the near ends of the cables as its network cards.
"""

import subprocess
from collections.abc import Mapping

from ipvsload.testbed.lab.topology import Director, Topology


def wires(director: Director, client_namespace: str, server_namespace: str) -> str:
    """Run in the director's namespace: two veth pairs, far ends moved away.

    The namespaces are paths, or pids of processes in them.
    """
    lines = ["link set lo up"]
    for cable, there in zip(director.cables, (client_namespace, server_namespace), strict=True):
        lines += [
            f"link add {cable.near} type veth peer name {cable.far} netns {there}",
            f"link set {cable.near} up",
        ]
    return "\n".join(lines)


def bridges(director: Director) -> str:
    """Run in the director's namespace: each cable's near end is joined with its tap."""
    return "\n".join(
        line
        for near, _far, bridge, tap, _mac in director.cables
        for line in (
            # Forwards at once, whoever speaks first.
            f"link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            f"link set {near} master {bridge}",
            f"link set {tap} master {bridge}",
            f"link set {tap} up",
            f"link set {bridge} up",
        )
    )


def client_side(topology: Topology) -> str:
    """Run in the client namespace."""
    first, *others = topology.all_directors
    lines = ["link set lo up"]
    lines += [f"addr add {a}/24 dev {first.client_cable.far}" for a in topology.client_addresses]
    lines += [f"link set {one.client_cable.far} up" for one in (first, *others)]
    lines += [
        f"route add {address} dev {one.client_cable.far}"
        for one in others
        for address in (one.client_side, one.vip)
    ]
    return "\n".join(lines)


def server_side(topology: Topology) -> str:
    """Run in the server namespace; answers go back through the client's director."""
    first, *others = topology.all_directors
    lines = ["link set lo up"]
    lines += [f"addr add {host}/24 dev {first.server_cable.far}" for host in topology.server_hosts]
    lines += [f"link set {one.server_cable.far} up" for one in (first, *others)]
    for one in others:
        lines.append(f"route add {one.server_side} dev {one.server_cable.far}")
        lines += [
            f"route add {client} via {one.server_side}"
            for client in topology.clients_of(one.number)
        ]
    lines.append(f"route add default via {first.server_side}")
    return "\n".join(lines)


def director_side(director: Director, client_link: str, server_link: str) -> str:
    """Run in the director: its two sides and the virtual address.

    The links are its network cards, as its kernel names them.
    """
    return "\n".join(
        (
            "link set lo up",
            f"addr add {director.client_side}/24 dev {client_link}",
            f"addr add {director.vip}/32 dev {client_link}",
            f"addr add {director.server_side}/24 dev {server_link}",
            f"link set {client_link} up",
            f"link set {server_link} up",
        )
    )


def run_ip(batch: str) -> None:
    """Run `ip -batch` where the caller is. Raises RuntimeError with what it said."""
    try:
        done = subprocess.run(["ip", "-batch", "-"], input=batch, text=True, capture_output=True)
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


def configure(sysctls: Mapping[str, str], batch: str) -> None:
    """Both of them. Raises OSError and RuntimeError."""
    write_sysctls(sysctls)
    run_ip(batch)


CLIENT_SYSCTLS = {
    # A port that comes round again while IPVS still holds its connection in
    # TIME_WAIT (120 s) costs a request a second or more: use them all.
    "net/ipv4/ip_local_port_range": "1024 65535",
    "net/ipv6/conf/all/disable_ipv6": "1",
}
SERVER_SYSCTLS = {
    "net/core/somaxconn": "65535",
    "net/ipv4/tcp_max_syn_backlog": "65535",
    "net/ipv6/conf/all/disable_ipv6": "1",
}
WIRE_SYSCTLS = {
    # The cables' ends in the director's namespace must stay silent where
    # another kernel owns them.
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
}
DIRECTOR_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    # IPVS refuses by ICMP when it has no server to give; six and then one a
    # second would make the next run wait for what the last one was refused.
    "net/ipv4/icmp_ratelimit": "0",
}
