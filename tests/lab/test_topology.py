"""The lab on paper: any number of clients, directors and servers, and the wiring of them."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.testbed.lab import network
from ipvsload.testbed.lab import topology as lab
from ipvsload.testbed.lab.addresses import PLANS
from ipvsload.testbed.lab.topology import Topology

DOCUMENTATION = [
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
topologies = st.builds(
    Topology,
    servers=st.integers(1, 1_000),
    clients=st.integers(1, lab.MAX_CLIENTS),
    directors=st.integers(1, lab.MAX_DIRECTORS),
    family=st.sampled_from(list(PLANS)),
)


def documented(address: str) -> bool:
    return any(ipaddress.ip_address(address) in net for net in DOCUMENTATION)


def test_a_thousand_servers_differ_and_are_documentation_addresses() -> None:
    servers = [lab.server_address(number) for number in range(1, 1001)]
    assert len(set(servers)) == 1000
    assert all(documented(server.rpartition(":")[0]) for server in servers)
    assert servers[0] == "198.51.100.11:80"
    assert {server.rpartition(":")[0] for server in servers} == set(Topology(1000).server_hosts)


def test_clients_differ_and_share_no_address_with_the_director() -> None:
    clients = {lab.client_address(n) for n in range(1, lab.MAX_CLIENTS + 1)}
    assert len(clients) == lab.MAX_CLIENTS
    assert all(documented(client) for client in clients)
    assert not clients & {lab.VIP, lab.director(1).client_side}


@given(topologies)
def test_no_two_addresses_are_alike_and_all_are_documentation_addresses(
    topology: Topology,
) -> None:
    directors = topology.all_directors
    hosts = [*topology.client_addresses, *topology.server_hosts]
    hosts += [topology.vip, *(a for one in directors for a in (one.client_side, one.server_side))]
    assert len(set(hosts)) == len(hosts)
    assert all(documented(host) for host in hosts)
    assert len(set(topology.server_addresses)) == topology.servers
    assert len(topology.client_addresses) == topology.clients
    assert [one.number for one in directors] == list(range(1, topology.directors + 1))


def test_no_two_links_of_a_namespace_are_alike() -> None:
    near = [*(cable.near for cable in lab.CABLES), lab.BRIDGE, lab.TAP]
    assert len(set(near)) == len(near)
    # include/uapi/linux/if.h: IFNAMSIZ
    assert all(len(name) < 16 for name in (*near, network.SERVER_LINK, *network.FURTHER_LINKS))


@given(topologies)
def test_both_sides_have_their_addresses_and_a_way_to_each_director(topology: Topology) -> None:
    clients = network.client_side(topology).splitlines()
    servers = network.server_side(topology).splitlines()
    assert sum(line.startswith("addr add") for line in clients) == topology.clients
    assert sum(line.startswith("addr add") for line in servers) == len(topology.server_hosts)
    several = topology.directors > 1
    for lines, port in ((clients, "sport"), (servers, "dport")):
        rules = [line for line in lines if line.startswith("rule")]
        # The load's and the probes' ports, which all lead to a director.
        assert len(rules) == (2 * topology.directors if several else 0)
        for one in topology.all_directors if several else []:
            first, *_, last = topology.ports_through(one.number)
            table = f"table {100 + one.number}"
            assert f"rule add {port} {first}-{last} lookup {100 + one.number}" in lines
            assert any(line.startswith("route add") and line.endswith(table) for line in lines)


def test_every_server_asked_for_gets_its_address_and_the_way_back() -> None:
    lines = network.server_side(Topology(3)).splitlines()
    assert [line for line in lines if line.startswith("addr")] == [
        "addr add 198.51.100.11/24 dev s0",
        "addr add 198.51.100.12/24 dev s0",
        "addr add 198.51.100.13/24 dev s0",
    ]
    assert lines[-1] == "route add default via 198.51.100.1"


def test_the_ports_of_probes_and_of_the_load_are_apart() -> None:
    assert not set(lab.PROBE_SOURCE_PORTS) & set(lab.SOURCE_PORTS)
    assert lab.SOURCE_PORTS[-1] == 65_535
