"""What the kernel counted in one run: the samples of its table, boiled down.

The counter of connections is the scheduler's exact word (InActConn is not: its
entries time out), but it belongs to a table entry: a server can leave and come
back, stand in several virtual services, and be seen from several nodes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ipvsload.record.format import Sample


@dataclass(slots=True)
class ServerCounts:
    """One real server over a whole run. `present`: it stood in the last sample."""

    weight: int
    connections: int = 0
    active_max: int = 0
    inactive_max: int = 0
    present: bool = True


@dataclass(frozen=True, slots=True)
class KernelCounts:
    """One run's servers by address, in the order in which they were first seen.

    `active_max` and `inactive_max` are of all servers together at one instant.
    """

    servers: dict[str, ServerCounts]
    active_max: int | None
    inactive_max: int | None

    @property
    def connections(self) -> int | None:
        """All connections that were scheduled; None without samples."""
        if self.active_max is None:
            return None
        return sum(server.connections for server in self.servers.values())


def count(samples: Iterable[Sample], baseline: Mapping[str, int]) -> KernelCounts:
    """Boil samples (in the order of time) down; `baseline` is taken off each server's counter.

    A server's counter that falls is a new table entry and begins at 0; a server
    that left keeps what was last seen of it. The kernel refreshes these
    counters every 2 s only (net/netfilter/ipvs/ip_vs_est.c).
    """
    samples = list(samples)
    if not samples:
        return KernelCounts({}, None, None)
    servers: dict[str, ServerCounts] = {}
    last: dict[tuple[str, str, str], int] = {}  # node, service, address -> conns
    for sample in samples:
        for service in sample.services:
            for server in service.servers:
                address, conns = server.address, server.conns
                if address not in servers:
                    taken_off = baseline.get(address, 0)
                    servers[address] = ServerCounts(server.weight, connections=-taken_off)
                entry = (sample.node, service.key, address)
                before = last.get(entry, 0)
                servers[address].connections += conns - before if conns >= before else conns
                last[entry] = conns
    active_max = inactive_max = 0
    table: dict[str, tuple[int, int]] = {}
    for _, table in readings(samples):
        for address, (active, inactive) in table.items():
            counts = servers[address]
            if active > counts.active_max:
                counts.active_max = active
            if inactive > counts.inactive_max:
                counts.inactive_max = inactive
        active_max = max(active_max, sum(active for active, _ in table.values()))
        inactive_max = max(inactive_max, sum(inactive for _, inactive in table.values()))
    for address, counts in servers.items():
        counts.present = address in table
    return KernelCounts(servers, active_max, inactive_max)


def readings(samples: Iterable[Sample]) -> Iterator[tuple[int, dict[str, tuple[int, int]]]]:
    """For each sample its time in µs and (ActiveConn, InActConn) by server.

    Summed over virtual services, and over nodes as each was last seen.
    """
    nodes: dict[str, dict[str, tuple[int, int]]] = {}
    for sample in samples:
        nodes[sample.node] = _sum(
            (server.address, server.active, server.inactive)
            for service in sample.services
            for server in service.servers
        )
        if len(nodes) == 1:
            yield sample.t_us, nodes[sample.node]
        else:
            rows = ((a, *counts) for table in nodes.values() for a, counts in table.items())
            yield sample.t_us, _sum(rows)


def _sum(rows: Iterable[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for address, active, inactive in rows:
        if address in sums:
            active += sums[address][0]
            inactive += sums[address][1]
        sums[address] = (active, inactive)
    return sums
