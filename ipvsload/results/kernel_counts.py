"""What the kernel counted in one run, out of the samples of its table.

The counter of connections says exactly how often the scheduler chose a server
(InActConn does not, because its connections time out). But the counter belongs
to a table entry, and a server may have several: it can leave and come back, be
in several virtual services, and be counted by several nodes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ipvsload.ipvs.node_sums import NodeSums
from ipvsload.ipvs.table import RealServer, by_address, growth
from ipvsload.record.format import Sample


@dataclass(slots=True)
class ServerCounts:
    """One real server over a whole run.

    `weights` are those that it had one after the other. `present` says whether it was in the
    last sample.
    """

    weights: list[int]
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
    """Count over samples in the order of time; `baseline` is subtracted from each counter.

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
                    servers[address] = ServerCounts([], connections=-taken_off)
                entry = (sample.node, service.key, address)
                servers[address].connections += growth(last.get(entry, 0), conns)
                last[entry] = conns
    active_max = inactive_max = 0
    table: dict[str, RealServer] = {}
    for _, table in readings(samples):
        for address, server in table.items():
            counts = servers[address]
            if counts.weights[-1:] != [server.weight]:
                counts.weights.append(server.weight)
            counts.active_max = max(counts.active_max, server.active)
            counts.inactive_max = max(counts.inactive_max, server.inactive)
        active_max = max(active_max, sum(server.active for server in table.values()))
        inactive_max = max(inactive_max, sum(server.inactive for server in table.values()))
    for address, counts in servers.items():
        counts.present = address in table
    return KernelCounts(servers, active_max, inactive_max)


def readings(samples: Iterable[Sample]) -> Iterator[tuple[int, dict[str, RealServer]]]:
    """For each sample its time in µs and the real servers by address.

    Summed over virtual services, and over nodes as each was last seen.
    """
    nodes = NodeSums()
    for sample in samples:
        servers = (server for service in sample.services for server in service.servers)
        nodes.update(sample.node, by_address(servers))
        yield sample.t_us, nodes.servers
