"""Give real servers a capacity, or with no workers any number of requests at once again.

What they work on when this comes, they end as it was.
"""

from collections.abc import Sequence

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet
from ipvsload.testbed.lab.worker_pool import Limits


def _limit(
    servers: ServerSet,
    addresses: Sequence[str],
    *,
    workers: int = 0,
    queue: int | None = None,
    overflow: int = 503,
    speed: float = 1.0,
) -> None:
    limits = Limits(workers, queue, overflow) if workers else None
    for address in addresses:
        servers.limit(address, limits, speed)


COMMAND = ServerCommand("limit", "limited", _limit)
