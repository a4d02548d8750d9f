"""Client ports that come again while IPVS remembers their last connection.

IPVS keeps a connection that has ended for 120 s in TIME_WAIT (ip_vs_proto_tcp.c,
tcp_timeouts). What a new one from the same address and port meets then,
`conn_reuse_mode` says (ip_vs_core.c, ip_vs_in_hook and is_new_conn_expected):
with 0 it follows the old one to its server, as a packet of it, and the scheduler is
not asked nor the connection counted; with 1 the scheduler chooses anew, unless the service is
persistent: then it follows, too.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs.schedulers import PERSISTENT
from ipvsload.record.format import Sample
from ipvsload.record.request_table import RequestTable
from ipvsload.record.row_groups import row_groups

REMEMBERED_S = 120
_PORTS = 1 << 16
_LONG_US = 1 << 60
"""Before a record's beginning."""


def ports_again(requests: RequestTable) -> int:
    """How many connections came from a port that had one less than REMEMBERED_S before.

    Of one port requests are recorded in the order in which connections were made: one must end
    before the next one can begin.
    """
    last = defaultdict[int, NDArray[np.int64]](lambda: np.full(_PORTS, -_LONG_US))
    found = 0
    for block in requests.blocks("reused", "client", "port", "start_us", "latency_us"):
        new = block.where(block.opened & (block.client != 0) & (block.port != 0))
        for (client,), rows in row_groups(new.client):
            order = rows[np.lexsort((new.start_us[rows], new.port[rows]))]
            port, start, took = new.port[order], new.start_us[order], new.latency_us[order]
            first = np.append(True, port[1:] != port[:-1])
            before = np.append(0, (start + took)[:-1])
            before[first] = last[client][port[first]]
            found += int((start - before < REMEMBERED_S * 1_000_000).sum())
            final = np.append(first[1:], True)
            last[client][port[final]] = (start + took)[final]
    return found


def is_persistent(samples: Sequence[Sample]) -> bool:
    """Whether a service was persistent: of one a port that comes again is not chosen for anew."""
    return any(
        service.persistent_timeout or service.flags & PERSISTENT
        for sample in samples
        for service in sample.services
    )
