"""The lab's plan on paper: addresses, wiring, and the kernel's command line."""

import ipaddress

from ipvsload.testbed.lab import addresses, connections, network, uml

DOCUMENTATION = [
    ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]


def documented(address: str) -> bool:
    return any(ipaddress.ip_address(address) in net for net in DOCUMENTATION)


def test_a_thousand_servers_differ_and_are_documentation_addresses() -> None:
    servers = [addresses.server_address(number) for number in range(1, 1001)]
    assert len(set(servers)) == 1000
    assert all(documented(server.rpartition(":")[0]) for server in servers)
    assert servers[0] == "198.51.100.11:80"
    assert {server.rpartition(":")[0] for server in servers} == set(addresses.server_hosts(1000))


def test_clients_differ_and_share_no_address_with_the_director() -> None:
    clients = {addresses.client_address(n) for n in range(1, addresses.MAX_CLIENTS + 1)}
    assert len(clients) == addresses.MAX_CLIENTS
    assert all(documented(client) for client in clients)
    assert not clients & {addresses.VIP, addresses.DIRECTOR_CLIENT_SIDE}


def test_every_server_asked_for_gets_its_address_and_the_way_back() -> None:
    lines = network.server_side(3).splitlines()
    assert [line for line in lines if line.startswith("addr")] == [
        "addr add 198.51.100.11/24 dev s0",
        "addr add 198.51.100.12/24 dev s0",
        "addr add 198.51.100.13/24 dev s0",
    ]
    assert lines[-1] == "route add default via 198.51.100.1"


def test_the_guests_words_after_the_dashes_are_its_first_process_arguments() -> None:
    argv = uml.command(["/bin/python", "-m", "x"], {"PYTHONPATH": "/a:/b"}, "/dev/shm")
    assert argv[argv.index("--") :] == ["--", "-m", "x"]
    assert "init=/bin/python" in argv
    assert "PYTHONPATH=/a:/b" in argv
    assert argv.index("PYTHONPATH=/a:/b") < argv.index("--")


def test_the_cards_filter_is_four_instructions_of_eight_bytes() -> None:
    assert len(uml.receive_filter()) == 4 * 8


CONNECTIONS = """\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP C0000265 0800 C0000250 0050 C633640B 0050 CLOSE             8
TCP C0000265 0801 C0000250 0050 C633640C 0051 TIME_WAIT       118
TCP C0000265 0802 C0000250 0051 C633640B 0050 TIME_WAIT       110
"""


def test_the_kernels_table_says_whom_a_connection_was_given_to() -> None:
    clients = [("192.0.2.101", port) for port in (0x801, 0x800, 0x802, 0x900)]
    lines = CONNECTIONS.splitlines()
    assert connections.chosen_servers(lines, "192.0.2.80", 80, clients) == [
        "198.51.100.12:81",
        "198.51.100.11:80",
        None,  # of another service
        None,  # forgotten
    ]
