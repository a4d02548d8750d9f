"""The real server of a connection, as the nodes' connection tables say."""

import time
from collections import ChainMap
from collections.abc import Sequence

from ipvsload.testbed.kubernetes.node_lines import NodeState, next_readings

_WITHIN = 6.0


def look_up(nodes: Sequence[NodeState], clients: Sequence[tuple[str, int]]) -> list[str | None]:
    """The real server of each connection; None where no node knows it.

    Waits for the nodes' next readings, for `_WITHIN` seconds at most.
    """
    deadline = time.monotonic() + _WITHIN
    read = next_readings(nodes)
    servers = ChainMap(*(node.connections for node in nodes))
    while not (read() or all(map(servers.get, clients)) or time.monotonic() > deadline):
        time.sleep(0.05)
    return [servers.get(client) for client in clients]
