"""The kernel's table as last seen, summed over virtual services and nodes.

A real server stands once in each virtual service that it belongs to and is seen
by each node; people think of it as one. A sample changes one node's part only,
so that part is subtracted from the sums and the new one is added.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ipvsload.ipvs.table import RealServer, VirtualService, growth, total
from ipvsload.locust_plugin.live.connection_rate import REFRESH_US, ConnectionRate
from ipvsload.locust_plugin.live.server_registry import KnownServer, ServerRegistry
from ipvsload.record.format import Sample

NODES = 200
# The kernel keeps a removed server with its counters for 120 s.
_TRASH_US = 150_000_000
_SPARE_ENTRIES = 5000
_SCHEDULERS = 3


@dataclass(slots=True)
class _Entry:
    """One server in one virtual service on one node: its counter, and when it last moved."""

    conns: int
    moved_us: int
    seen_us: int


@dataclass(slots=True)
class _Node:
    t_us: int
    entries: dict[tuple[str, str], _Entry] = field(default_factory=dict)
    servers: dict[str, RealServer] = field(default_factory=dict)
    """By address, summed over virtual services."""


class LiveTable:
    """Takes samples; the servers of `registry` then have the sums.

    `service` is the key of the virtual service that counts, "" for all.
    """

    def __init__(self, service: str, registry: ServerRegistry) -> None:
        self._service = service
        self._registry = registry
        self._nodes: dict[str, _Node] = {}
        self.scheduler = ""
        """As the kernel had it last; of several services, the first few."""
        self.hidden = 0
        """Servers in the last sample for which there was no room."""

    def present(self) -> Iterator[KnownServer]:
        """Return the servers that stand in the table now."""
        return (known for known in self._registry.servers.values() if known.nodes)

    def sampled(self, sample: Sample, rate: ConnectionRate | None) -> None:
        """Take a node's table; new connections are added to `rate`."""
        t_us, known_servers = sample.t_us, self._registry.servers
        self._registry.now_us = t_us
        first = sample.node not in self._nodes
        node = self._node(sample.node, t_us)
        entries = node.entries
        servers: dict[str, RealServer] = {}
        services = [s for s in sample.services if not self._service or s.key == self._service]
        self.hidden = 0
        for service in services:
            key = service.key
            for server in service.servers:
                address, conns = server.address, server.conns
                known = known_servers.get(address) or self._registry.add(address)
                if known is None:
                    self.hidden += 1
                    continue
                known.seen_us = t_us
                same = servers.get(address)
                servers[address] = server if same is None else total(same, server)
                entry = entries.get((key, address))
                if entry is None:
                    # What stood there before the first sample does not belong to this test.
                    before = conns if first else 0
                    entry = entries[key, address] = _Entry(before, node.t_us, node.t_us)
                if conns != entry.conns:
                    new = growth(entry.conns, conns)
                    after = max(entry.moved_us, entry.seen_us - REFRESH_US)
                    entry.conns, entry.moved_us = conns, t_us
                    known.connections += new
                    if rate is not None:
                        rate.add(known.ident, new, after, t_us)
                entry.seen_us = t_us
        self._replace(node, servers, t_us, removed=bool(services))
        self._schedulers(services)
        if len(entries) > 2 * len(servers) + 64:
            _prune(entries, t_us)
        node.t_us = t_us

    def _node(self, name: str, t_us: int) -> _Node:
        node = self._nodes.get(name)
        if node is None:
            if len(self._nodes) >= NODES:
                oldest = min(self._nodes, key=lambda each: self._nodes[each].t_us)
                self._replace(self._nodes.pop(oldest), {}, t_us)
            node = self._nodes[name] = _Node(t_us)
        return node

    def _replace(
        self, node: _Node, servers: dict[str, RealServer], t_us: int, *, removed: bool = False
    ) -> None:
        """Have these in the place of the node's; those that are gone were `removed`."""
        known_servers = self._registry.servers
        for address, server in node.servers.items():
            known = known_servers[address]
            known.active -= server.active
            known.inactive -= server.inactive
            known.nodes -= 1
            if not known.nodes and address not in servers:
                self._registry.left(known, removed)
        for address, server in servers.items():
            known = known_servers[address]
            known.active += server.active
            known.inactive += server.inactive
            if not known.nodes and address not in node.servers:
                known.since_us = t_us
            known.nodes += 1
            if known.weight != server.weight:
                self._registry.set_weight(known, server.weight)
        node.servers = servers

    def _schedulers(self, services: list[VirtualService]) -> None:
        names = list(dict.fromkeys(service.scheduler for service in services))
        if names:
            more = ", ..." if len(names) > _SCHEDULERS else ""
            self.scheduler = ", ".join(names[:_SCHEDULERS]) + more


def _prune(entries: dict[tuple[str, str], _Entry], t_us: int) -> None:
    """Drop entries that are not in the table any more, once the kernel has dropped them, too."""
    absent = [(entry.seen_us, key) for key, entry in entries.items() if entry.seen_us < t_us]
    absent.sort()
    for index, (seen_us, key) in enumerate(absent):
        if seen_us < t_us - _TRASH_US or index < len(absent) - _SPARE_ENTRIES:
            del entries[key]
