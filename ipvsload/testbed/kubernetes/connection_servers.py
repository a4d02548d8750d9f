"""The real server of a connection, as the nodes' connection tables say."""

import time
from collections.abc import Sequence

from ipvsload.testbed.kubernetes.node_lines import NodeState

_WITHIN = 6.0


def look_up(nodes: Sequence[NodeState], clients: Sequence[tuple[str, int]]) -> list[str | None]:
    """The real server of each connection; None where no node knows it.

    Waits for the nodes' next readings, for `_WITHIN` seconds at most.
    """
    before = {node.name: node.connections_t for node in nodes}
    deadline = time.monotonic() + _WITHIN
    seen: dict[str, set[int]] = {name: set() for name in before}

    def known(client: tuple[str, int]) -> str | None:
        return next(
            (node.connections[client] for node in nodes if client in node.connections), None
        )

    # Two new readings: the first may have been on its way already.
    while any(known(client) is None for client in clients) and time.monotonic() < deadline:
        for node in nodes:
            if node.connections_t != before[node.name]:
                seen[node.name].add(node.connections_t)
        if all(len(times) >= 2 for times in seen.values()):
            break
        time.sleep(0.05)
    return [known(client) for client in clients]
