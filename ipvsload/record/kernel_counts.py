"""What the kernel counted in one run: the samples of its table, boiled down.

The counter of connections is the scheduler's exact word (InActConn is not: its
entries time out), but it belongs to a table entry: a server can leave and come
back, stand in several virtual services, and be seen from several nodes.
"""

from collections.abc import Iterable, Mapping
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
    servers: dict[str, ServerCounts] = {}
    tables: dict[str, dict[str, dict[str, int]]] = {}  # node -> service -> address -> conns
    active: dict[str, dict[str, int]] = {}  # node -> address
    inactive: dict[str, dict[str, int]] = {}
    active_max = inactive_max = 0
    empty = True
    for sample in samples:
        empty = False
        seen = tables.setdefault(sample.node, {})
        node_active = active[sample.node] = dict[str, int]()
        node_inactive = inactive[sample.node] = dict[str, int]()
        for service in sample.services:
            before = seen.setdefault(service.key, {})
            for server in service.servers:
                address, conns = server.address, server.conns
                if address not in servers:
                    servers[address] = ServerCounts(
                        server.weight, connections=-baseline.get(address, 0)
                    )
                last = before.get(address, 0)
                servers[address].connections += conns - last if conns >= last else conns
                before[address] = conns
                node_active[address] = node_active.get(address, 0) + server.active
                node_inactive[address] = node_inactive.get(address, 0) + server.inactive
        _raise(servers, active, "active_max")
        _raise(servers, inactive, "inactive_max")
        active_max = max(active_max, sum(sum(table.values()) for table in active.values()))
        inactive_max = max(inactive_max, sum(sum(table.values()) for table in inactive.values()))
    for address, server_counts in servers.items():
        server_counts.present = any(address in table for table in active.values())
    if empty:
        return KernelCounts({}, None, None)
    return KernelCounts(servers, active_max, inactive_max)


def _raise(
    servers: dict[str, ServerCounts], nodes: dict[str, dict[str, int]], attribute: str
) -> None:
    """Raise each server's maximum to its sum over the nodes as last seen."""
    totals: Mapping[str, int]
    if len(nodes) == 1:
        (totals,) = nodes.values()
    else:
        sums: dict[str, int] = {}
        for table in nodes.values():
            for address, value in table.items():
                sums[address] = sums.get(address, 0) + value
        totals = sums
    for address, value in totals.items():
        if value > getattr(servers[address], attribute):
            setattr(servers[address], attribute, value)
