"""What balances without IPVS, in the words of IPVS's table: services, servers, connections.

The services, their servers and how many connections each was given are those of the
rules; how many it has now is counted in the table of tracked connections.
"""

from socket import AF_INET

from ipvsload.ipvs.decode import Row, TableRows
from ipvsload.netfilter.conntrack import Conntrack
from ipvsload.netfilter.iptables_table import IptablesTable
from ipvsload.netfilter.nat_service import NatEntry
from ipvsload.netfilter.nftables_table import NftablesTable

_TCP = 6
_NO_FLAGS = bytes(8)


class NatTable:
    """The services of this network namespace that iptables and nftables balance."""

    def __init__(self) -> None:
        self._iptables, self._nftables = IptablesTable(), NftablesTable()
        self._conntrack: Conntrack | None = None
        self._most: dict[tuple[str, bytes, int, bytes, int], int] = {}

    def table(self) -> TableRows:
        """The services now, as Ipvs.table has them. Raises InterruptedDumpError and OSError.

        While there is none, nothing is loaded that would track connections.
        """
        entries = self._iptables.read() + self._nftables.read()
        if not entries:
            self._most.clear()
            return []
        self._conntrack = self._conntrack or Conntrack()
        counts = self._conntrack.counts()
        table: TableRows = []
        for entry in entries:
            servers: list[Row] = []
            for address, port, weight, conns in entry.servers:
                active, inactive = counts.get((entry.address, entry.port, address, port), (0, 0))
                conns = self._at_least(entry, address, port, conns)
                counted = weight, active, inactive, 0, conns, 0, 0, 0, 0
                servers.append((address.ljust(16, b"\0"), port, *counted))
            identity = AF_INET, _TCP, entry.address.ljust(16, b"\0"), entry.port, 0
            properties = entry.balancer.encode() + b"\0", _NO_FLAGS, 0
            total = sum(server[6] for server in servers)
            row = (*identity, *properties, total, 0, 0, 0, 0)
            table.append((row, [(AF_INET, servers)]))
        return table

    def _at_least(self, entry: NatEntry, address: bytes, port: int, conns: int) -> int:
        """A counter never falls, but for the moment in which iptables exchanges the table.

        It sets the new table's counters a moment later (iptables' libiptc.c, TC_COMMIT).
        """
        key = entry.balancer, entry.address, entry.port, address, port
        most = self._most[key] = max(conns, self._most.get(key, 0))
        return most
