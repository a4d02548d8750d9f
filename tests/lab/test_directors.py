"""A lab with several directors: each with a kernel, a table and an address of its own."""

import socket
from collections import Counter
from contextlib import closing

import pytest

from ipvsload.testbed.lab import warmup
from ipvsload.testbed.lab.broker_client import plain_socket
from ipvsload.testbed.lab.director_client import DirectorClient
from ipvsload.testbed.lab.lab import Lab
from ipvsload.testbed.lab.topology import Director, Topology
from tests.lab.test_lab import DEADLINE

pytestmark = pytest.mark.kernel

LAB = Topology(servers=2, clients=3, directors=2)
PORT = 80


def ask(lab: Lab, director: Director, source: tuple[str, int]) -> str:
    """The real server that answers one request from `source` through the director."""
    with plain_socket(lab.socket_broker) as connection:
        connection.settimeout(DEADLINE)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind(source)
        connection.connect((director.vip, PORT))
        connection.sendall(b"GET /ip HTTP/1.1\r\nHost: there\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    return answer.partition("X-Real-Server: ")[2].split()[0]


@pytest.mark.parametrize("kernel", ["uml", "qemu"])
def test_each_of_two_directors_balances_over_the_same_servers(kernel: str) -> None:
    with closing(Lab(LAB, kernel=kernel, schedulers=["rr"])) as lab:
        lab.real_servers.wait_ready()
        for address in LAB.server_addresses:
            lab.real_servers.ask("add", address)
        lab.wait_ready()
        for director in LAB.all_directors:
            control = DirectorClient(plain_socket(lab.socket_broker), director)
            warmup.warm(LAB, director, control, lab.socket_broker)
            control.ask("add_service", key=f"tcp {director.vip}:{PORT}", scheduler="rr")
            for address in LAB.server_addresses:
                control.ask(
                    "add_server", key=f"tcp {director.vip}:{PORT}", address=address, weight=1
                )
            sources = [
                (client, port)
                for client in LAB.clients_of(director.number)
                for port in range(3000, 3004)
            ]
            answered = [ask(lab, director, source) for source in sources]
            half = len(sources) // 2
            assert Counter(answered) == dict.fromkeys(LAB.server_addresses, half)
            assert answered == control.ask(
                "chosen_servers", vip=director.vip, port=PORT, clients=sources
            )
            control.close()
