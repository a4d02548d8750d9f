"""Servers and directors a step at a time, as slow and as plain as can be: a reference.

Each director is a `DirectorModel`, which knows every connection, and each server has a queue
whose first request is taken when a worker is free.
"""

from collections import deque
from heapq import heappop, heappush
from typing import NamedTuple

from ipvsload.ipvs_model.director_model import DirectorModel
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.simulate.connection_stream import Arrival, Origin, ServerCapacity


class Served(NamedTuple):
    """What became of an arrival: its server, when its work began, and when it was answered."""

    server: int | None
    began_ns: int | None
    ended_ns: int | None


def played(
    directors: list[DirectorModel],
    arrivals: list[Arrival],
    origins: list[Origin],
    capacity: ServerCapacity,
) -> list[Served]:
    """What becomes of each arrival. What ends when another comes has ended before it."""
    servers = len(directors[0].servers)
    queues: list[deque[int]] = [deque() for _ in range(servers)]
    busy = [0] * servers
    served = [Served(None, None, None) for _ in arrivals]
    happens: list[tuple[int, int, int]] = []  # time, 0 for an end or 1 for an arrival, which
    for at, (at_ns, _, _) in enumerate(arrivals):
        heappush(happens, (at_ns, 1, at))

    def begin(at: int, server: int, now_ns: int) -> None:
        _, work, _ = arrivals[at]
        if capacity.speeds:
            work = round(work / capacity.speeds[server])
        served[at] = Served(server, now_ns, now_ns + work)
        busy[server] += 1
        heappush(happens, (now_ns + work, 0, at))

    while happens:
        now_ns, arriving, at = heappop(happens)
        client, director = origins[at]
        table = directors[director]
        if arriving:
            server = table.choose(client, now_ns)
            if server is None:
                continue
            table.opened(client, server, now_ns)
            if busy[server] < capacity.workers:
                begin(at, server, now_ns)
            elif capacity.queue is not None and len(queues[server]) >= capacity.queue:
                served[at] = Served(server, None, now_ns)
                heappush(happens, (now_ns, 0, at))
            else:
                queues[server].append(at)
            continue
        server = served[at].server
        assert server is not None
        table.closing(client, Side.SERVER, now_ns)
        table.closing(client, Side.CLIENT, now_ns)
        if served[at].began_ns is not None:
            busy[server] -= 1
            if queues[server]:
                begin(queues[server].popleft(), server, now_ns)
    return served


def origin(number: int, director: int = 0) -> Origin:
    """That of a connection that has a port of its own."""
    return Origin(Client("192.0.2.101", number), director)
