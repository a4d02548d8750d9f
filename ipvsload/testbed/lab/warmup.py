"""Use each of the lab's paths once before any clock starts.

A new cable drops or delays its first packets while addresses are resolved.
Each real server is asked once through the balancer, and each client address
asks once, by way of a service of their own: its connections never show in the
service that a run uses.
"""

import socket
import time

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import join_key
from ipvsload.testbed.lab.broker_client import plain_socket
from ipvsload.testbed.lab.director_client import DirectorClient
from ipvsload.testbed.lab.topology import PROBE_PORT, PROBE_SOURCE_PORTS, Director, Topology

SCHEDULER = "rr"
"""Of the probes' service."""
_WITHIN = 20.0
_TIMEOUT = 1.0


def warm(topology: Topology, director: Director, control: DirectorClient, broker: str) -> None:
    """Have every server's host and every client of `director` exchange a request through it.

    Raises TestbedError when something does not answer within 20 s.
    """
    servers = topology.server_addresses[: len(topology.server_hosts)]  # one on each host
    clients = topology.clients_of(director.number)
    key = join_key(director.vip, PROBE_PORT)
    control.ask("add_service", key=key, scheduler=SCHEDULER)
    for server in servers:
        control.ask("add_server", key=key, address=server, weight=1)
    waiting = {*servers, *clients}
    deadline = time.monotonic() + _WITHIN
    turn = 0
    while waiting:
        client = clients[turn % len(clients)]
        turn += 1
        source = client, PROBE_SOURCE_PORTS[turn % len(PROBE_SOURCE_PORTS)]
        try:
            waiting -= {_ask(plain_socket(broker), source, director.vip), client}
        except OSError:
            if time.monotonic() > deadline:
                silent = ", ".join(sorted(waiting.intersection(servers) or waiting)[:5])
                raise TestbedError(
                    f"no answer through the balancer within {_WITHIN:.0f} s from {silent}"
                ) from None
    control.ask("delete_service", key=key)


def _ask(connection: socket.socket, source: tuple[str, int], vip: str) -> str:
    """One request from `source`; the real server that answered. Raises OSError."""
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
