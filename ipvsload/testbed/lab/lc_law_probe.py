"""Find out, in the director, how its kernel counts finished connections.

There are two laws (ipvs/lc_laws.py). Stable series have got the newer one with any
update, so a version says nothing, and the kernel is asked.

It is asked in a network namespace of its own, over its loopback: no port, address or counter
of a run is touched, and the namespace takes everything with it.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ipvsload.ipvs.client import Ipvs
from ipvsload.ipvs.lc_laws import LC_LAWS
from ipvsload.testbed.lab import network
from ipvsload.testbed.lab.namespaces import new_network, setns

_SCHEDULER = "lc"
_KEY, _VIP = "tcp 127.0.0.1:80", ("127.0.0.1", 80)
_SERVERS = ("127.0.0.2", 80), ("127.0.0.3", 80)
_BACKLOG = 1_024  # nobody accepts what they are sent
_TIMEOUT = 5.0


def lc_law() -> int | None:
    """One of LC_LAWS; None where the kernel keeps to neither. Raises OSError and IpvsError."""
    with _own_network(), ExitStack() as stack:
        # Some kernels let 128 wait at most.
        network.configure({"net/core/somaxconn": str(_BACKLOG)}, "link set lo up")
        table = stack.enter_context(Ipvs())
        table.add_service(_KEY, _SCHEDULER)
        for address, port in _SERVERS:
            listener = stack.enter_context(socket.socket())
            listener.bind((address, port))
            listener.listen(_BACKLOG)
            table.add_server(_KEY, f"{address}:{port}", 1)
        stack.enter_context(_connected())  # held: the other server gets all until they are equal
        opened = 0
        for law in LC_LAWS:
            while opened <= law:
                _connected().close()
                opened += 1
            counts = _counts(table)
            if counts == [(0, law), (1, 1)]:  # at a tie the newer one got it, as the held one
                return law
            if counts != [(0, opened), (1, 0)]:
                break
    return None


def _connected() -> socket.socket:
    connection = socket.socket()
    connection.settimeout(_TIMEOUT)
    try:
        connection.connect(_VIP)
    except OSError:
        connection.close()
        raise
    return connection


def _counts(table: Ipvs) -> list[tuple[int, int]]:
    """Active and inactive connections of each server."""
    return sorted(row[3:5] for _, batches in table.table() for _, rows in batches for row in rows)


@contextmanager
def _own_network() -> Iterator[None]:
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.close(new_network())  # it lasts while this process is in it
        try:
            yield
        finally:
            setns(home)
    finally:
        os.close(home)
