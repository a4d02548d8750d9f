"""A lab with several directors: each with a table of its own, all with one address."""

import json
import re
from collections import Counter
from contextlib import closing

import pytest

from ipvsload.record.sidecar_stream import Hello, Message, Reading, Settings, SidecarParser
from ipvsload.testbed.base import ServiceSpec, Target
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology
from tests.lab.test_lab import lab
from tests.patience import HUNG_AFTER_S

LAB = Topology(servers=2, clients=3, directors=4)


def ask(sockets: LabSockets, target: Target) -> tuple[str, int, str]:
    """One request: the client's address and port, and the real server that answered."""
    sock, client, source = sockets.take()
    try:
        sock.settimeout(HUNG_AFTER_S)
        sock.connect((target.host, target.port))
        sock.sendall(b"GET /ip HTTP/1.1\r\nHost: there\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: sock.recv(4096), b"")).decode()
    finally:
        sock.close()
    return client, source, answer.partition("X-Real-Server: ")[2].split()[0]


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("kernel", "family", "chosen"), [("uml", "ipv6", 2), ("qemu", "ipv4", "in-turn")]
)
def test_each_of_four_directors_balances_over_the_same_servers(
    kernel: str, family: str, chosen: str | int
) -> None:
    topology = LAB._replace(family=family, source_ports=chosen)
    with closing(LabTestbed(topology, kernel=kernel, schedulers=["rr"])) as testbed:
        testbed.start()
        testbed.wait_ready()
        service = testbed.begin(ServiceSpec("rr", (1, 1)))
        with closing(LabSockets(testbed.socket_broker)) as sockets:
            asked = [ask(sockets, service.target) for _ in range(24)]
            again = [ask(sockets, service.target) for _ in range(24)]
        for number in range(1, 5):
            # Each begins with the same server, and gives its own connections by turns.
            ports = LAB.ports_through(number)
            answered = [server for _, port, server in asked if port in ports]
            assert Counter(answered) == dict.fromkeys(topology.server_addresses, 3)
            assert answered[::2] == [answered[0]] * 3
        # Two ports of each client to each director come again while the kernel remembers them.
        same = {one[:2] for one in asked} == {one[:2] for one in again}
        assert same == (chosen != "in-turn")
        assert Counter(server for *_, server in again) == dict.fromkeys(
            topology.server_addresses, 12
        )
        asked = again
        found = testbed.connection_servers([(client, port) for client, port, _ in asked])
        assert found == [server for _, _, server in asked]
        pipe, parser, told = testbed.open_samples(10), SidecarParser(), list[Message]()
        while sum(isinstance(one, Reading) for one in told) < 4:
            told += parser.feed(pipe.recv(1 << 16))
        pipe.close()
    first, *rest = told
    assert isinstance(first, Hello)
    assert first.node == "director-1"
    names = {f"director-{number}" for number in range(1, 5)}
    assert {one.node for one in rest if isinstance(one, Settings)} == names
    tables = {one.node: one.services for one in rest if isinstance(one, Reading)}
    assert set(tables) == names
    for (table,) in tables.values():
        assert table.key == service.target.key
        # Of a port that came again only the last connection is remembered.
        assert [server.inactive for server in table.servers] == ([3, 3] if same else [6, 6])


@pytest.mark.kernel
def test_a_program_can_be_run_beside_the_table_of_any_director() -> None:
    script = (
        "for n in 1 2 3; do ipvsload lab exec --director $n -- ip -o -4 addr show to 192.0.2.0/28;"
        " done; ipvsload lab exec --director 2 -- ipvsload collect --count 1 | head -n 1"
    )
    done = lab("uml", "--directors", "3", "--", "sh", "-c", script)
    assert re.findall(r"192\.0\.2\.\d+", done.stdout) == [
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
    ]
    assert json.loads(done.stdout.splitlines()[-1])["node"] == "director-2"


def test_a_director_that_is_not_there_is_refused() -> None:
    done = lab("uml", "--directors", "17", "--", "true")
    assert done.returncode == 2
    assert "--directors" in done.stderr
