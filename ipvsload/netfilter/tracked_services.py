"""Virtual services as connection tracking alone shows them: for a node that others configure.

kube-proxy writes its rules anew at each change, and their counters begin at 0 then. So on a
node connections are counted one by one, as they are first seen: a connection stays in
the table for 10 s and more after its end, so reading it each second misses none, but one
that its server refused. A server without a connection is not seen.
"""

from collections import Counter
from collections.abc import Callable
from socket import AF_INET, inet_ntop, ntohs

from ipvsload.ipvs.decode import Row, TableRows
from ipvsload.netfilter.conntrack import ACTIVE, Conntrack

_TCP = 6
_NO_FLAGS = bytes(8)

Wanted = Callable[[str, int], bool]
"""Whether a virtual address and port is one of those that are asked for."""


class TrackedServices:
    """The services that `wanted` is true for, out of `conntrack`.

    Reading that wants CAP_NET_ADMIN (nfnetlink.c, nfnetlink_rcv).
    """

    def __init__(self, wanted: Wanted, conntrack: Conntrack) -> None:
        self._wanted = wanted
        self._conntrack = conntrack
        self._present: set[Row] = set()
        self._counted: Counter[tuple[bytes, int, bytes, int]] = Counter()
        self._known: dict[tuple[bytes, int], bool] = {}

    def table(self, balancer: str) -> TableRows:
        """The services now, balanced by `balancer`. Raises InterruptedDumpError and OSError."""
        now: set[Row] = set()
        states: dict[tuple[bytes, int, bytes, int], list[int]] = {}
        for (
            client,
            vip,
            protocol,
            port,
            vip_port,
            server,
            server_port,
            state,
            number,
        ) in self._conntrack.connections():
            if protocol != _TCP or not server or (vip, vip_port) == (server, server_port):
                continue
            if not self._is_wanted(vip, vip_port):
                continue
            key = vip, vip_port, server, server_port
            now.add((*key, client, port, number))
            states.setdefault(key, [0, 0])[state not in ACTIVE] += 1
        for vip, vip_port, server, server_port, *_ in now - self._present:
            self._counted[vip, vip_port, server, server_port] += 1
        self._present = now
        services: dict[tuple[bytes, int], list[Row]] = {}
        for (vip, vip_port, server, server_port), conns in self._counted.items():
            active, inactive = states.get((vip, vip_port, server, server_port), (0, 0))
            counts = 1, active, inactive, 0, conns, 0, 0, 0, 0
            row = server.ljust(16, b"\0"), server_port, *counts
            services.setdefault((vip, vip_port), []).append(row)
        return [
            (
                (AF_INET, _TCP, vip.ljust(16, b"\0"), port, 0, balancer.encode() + b"\0",
                 _NO_FLAGS, 0, sum(row[6] for row in rows), 0, 0, 0, 0),
                [(AF_INET, rows)],
            )
            for (vip, port), rows in services.items()
        ]  # fmt: skip

    def _is_wanted(self, vip: bytes, port: int) -> bool:
        known = self._known.get((vip, port))
        if known is None:
            known = self._known[vip, port] = self._wanted(inet_ntop(AF_INET, vip), ntohs(port))
        return known
