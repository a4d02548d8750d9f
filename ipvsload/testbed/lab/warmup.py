"""Warm the lab's paths before any clock starts.

A fresh cable drops or delays its first packets while addresses are resolved.
Each real server is asked once through the balancer, and each client address
asks once, by way of a service of their own: its connections never show in the
service that a run uses.
"""

import socket
import time
from collections.abc import Sequence

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import join_key, split_endpoint
from ipvsload.testbed.lab.broker_client import plain_socket
from ipvsload.testbed.lab.director_client import Control
from ipvsload.testbed.lab.topology import PROBE_PORT, PROBE_SOURCE_PORTS, director

_DEADLINE = 20.0
_PATIENCE = 1.0
_VIP = director(1).vip


def warm(control: Control, servers: Sequence[str], clients: Sequence[str], door: str) -> None:
    """Have every server's host and every client exchange a request.

    Raises TestbedError when something does not answer within 20 s.
    """
    hosts = {split_endpoint(server)[0]: server for server in reversed(servers)}
    first = list(reversed(hosts.values()))
    key = join_key(_VIP, PROBE_PORT)
    control.ask("add_service", key=key, scheduler="rr")
    for server in first:
        control.ask("add_server", key=key, address=server, weight=1)
    cold = set(first)
    mute = set(clients)
    deadline = time.monotonic() + _DEADLINE
    turn = 0
    while cold or mute:
        client = clients[turn % len(clients)]
        turn += 1
        try:
            port = PROBE_SOURCE_PORTS[turn % len(PROBE_SOURCE_PORTS)]
            cold.discard(_ask(plain_socket(door), (client, port)))
            mute.discard(client)
        except OSError:
            if time.monotonic() > deadline:
                waited = ", ".join(sorted(cold)[:5]) or ", ".join(sorted(mute)[:5])
                raise TestbedError(
                    f"no answer through the balancer within {_DEADLINE:.0f} s from {waited}"
                ) from None
    control.ask("delete_service", key=key)


def _ask(connection: socket.socket, source: tuple[str, int]) -> str:
    """One request from there; the real server that answered. Raises OSError."""
    with connection:
        connection.settimeout(_PATIENCE)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind(source)
        connection.connect((_VIP, PROBE_PORT))
        connection.sendall(b"GET /ip HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    for line in answer.split(b"\r\n"):
        if line.lower().startswith(b"x-real-server:"):
            return line.partition(b":")[2].strip().decode()
    raise OSError("no answer")
