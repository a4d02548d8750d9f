"""Use each of the lab's paths once before any clock starts.

A new cable drops or delays its first packets while addresses are resolved.
Each real server is asked once through each director, and each client address
asks once through it, by way of a service of their own: its connections never
show in the service that a run uses.
"""

import socket
import time
from collections.abc import Sequence

from ipvsload.errors import TestbedError
from ipvsload.ipvs.forwarding import MASQUERADING
from ipvsload.ipvs.keys import join_key
from ipvsload.testbed.lab.addresses import IPV6
from ipvsload.testbed.lab.broker_client import plain_socket
from ipvsload.testbed.lab.director_client import DirectorClient
from ipvsload.testbed.lab.topology import PROBE_PORT, PROBE_SOURCE_PORTS, Topology

SCHEDULER = "rr"
"""Of the probes' service."""
_WITHIN = 20.0
_TIMEOUT = 1.0


def warm(
    topology: Topology, control: DirectorClient, broker: str, forwarding: str = MASQUERADING
) -> None:
    """Have every server's host and every client exchange a request through each director.

    With another forwarding than masquerading the servers must listen on PROBE_PORT.
    Raises TestbedError when something does not answer within 20 s.
    """
    servers = topology.server_addresses[: len(topology.server_hosts)]  # one on each host
    if forwarding != MASQUERADING:
        servers = topology.server_addresses_on(PROBE_PORT)
    key = join_key(topology.vip, PROBE_PORT)
    control.ask("add_service", key=key, scheduler=SCHEDULER)
    for server in servers:
        control.ask("add_server", key=key, address=server, weight=1, forwarding=forwarding)
    for number in range(1, topology.directors + 1):
        ports = topology.ports_through(number, PROBE_SOURCE_PORTS)
        _probe(topology, servers, ports, broker)
    control.ask("delete_service", key=key)


def _probe(topology: Topology, servers: Sequence[str], ports: range, broker: str) -> None:
    """Ask from these source ports until each server has answered and each client has asked."""
    clients = topology.client_addresses
    waiting = {*servers, *clients}
    deadline = time.monotonic() + _WITHIN
    turn = 0
    while waiting:
        client = clients[turn % len(clients)]
        turn += 1
        source = client, ports[turn % len(ports)]
        try:
            connection = plain_socket(broker, ipv6=topology.family == IPV6)
            waiting -= {_ask(connection, source, topology.vip), client}
        except OSError:
            if time.monotonic() > deadline:
                silent = ", ".join(sorted(waiting.intersection(servers) or waiting)[:5])
                raise TestbedError(
                    f"no answer through the balancer within {_WITHIN:.0f} s from {silent}"
                ) from None


def _ask(connection: socket.socket, source: tuple[str, int], vip: str) -> str:
    """One request from `source` to `vip`; the real server that answered. Raises OSError."""
    with connection:
        connection.settimeout(_TIMEOUT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind(source)
        connection.connect((vip, PROBE_PORT))
        connection.sendall(b"GET /ip HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    for line in answer.split(b"\r\n"):
        if line.lower().startswith(b"x-real-server:"):
            return line.partition(b":")[2].strip().decode()
    raise OSError("no answer")
