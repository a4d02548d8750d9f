"""The lab's wiring, as input for `ip -batch`.

    client namespace        director              server namespace
    192.0.2.101...  c0 === d0      d1 === s0  198.51.100.11...
                        VIP 192.0.2.80

Pure text here; the keeper runs it. The director's side is configured by
whoever is the director: the host's kernel in a namespace, or another kernel
that has taken d0 and d1 over as its network cards.
"""

from ipvsload.testbed.lab import addresses as a


def wires(client_pid: str, server_pid: str) -> str:
    """Run in the director's namespace: two veth pairs, far ends moved away."""
    return "\n".join(
        (
            f"link add d0 type veth peer name c0 netns {client_pid}",
            f"link add d1 type veth peer name s0 netns {server_pid}",
            "link set lo up",
            "link set d0 up",
            "link set d1 up",
        )
    )


TAPS = ("t0", "t1")
"""A virtual machine's two network cards, seen from here."""


def bridges() -> str:
    """Run in the director's namespace: each cable's end is joined with a tap."""
    return "\n".join(
        line
        for number, tap in enumerate(TAPS)
        for line in (
            # Forwards at once, whoever speaks first.
            f"link add b{number} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            f"link set d{number} master b{number}",
            f"link set {tap} master b{number}",
            f"link set {tap} up",
            f"link set b{number} up",
        )
    )


def client_side(clients: int) -> str:
    """Run in the client namespace."""
    hosts = [a.client_address(number + 1) for number in range(clients)]
    return "\n".join(
        ("link set lo up", *(f"addr add {host}/24 dev c0" for host in hosts), "link set c0 up")
    )


def server_side(servers: int) -> str:
    """Run in the server namespace; answers go back through the director."""
    return "\n".join(
        (
            "link set lo up",
            *(f"addr add {host}/24 dev s0" for host in a.server_hosts(servers)),
            "link set s0 up",
            f"route add default via {a.DIRECTOR_SERVER_SIDE}",
        )
    )


def director_side(client_link: str, server_link: str) -> str:
    """Run in the director: its two sides and the virtual address."""
    return "\n".join(
        (
            "link set lo up",
            f"addr add {a.DIRECTOR_CLIENT_SIDE}/24 dev {client_link}",
            f"addr add {a.VIP}/32 dev {client_link}",
            f"addr add {a.DIRECTOR_SERVER_SIDE}/24 dev {server_link}",
            f"link set {client_link} up",
            f"link set {server_link} up",
        )
    )


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
