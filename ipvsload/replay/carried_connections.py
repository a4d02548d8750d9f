"""The connections of a run by their first and last requests, however many each carried."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ipvsload.record.format import Request
from ipvsload.record.request_table import RequestColumns, RequestTable


class CarriedConnection(NamedTuple):
    """What a connection carried first and last, by the times at which the requests began."""

    first: Request
    last: Request


def carried_connections(requests: RequestTable) -> Iterator[CarriedConnection]:
    """All that were opened, and those that were open before.

    Those of one client's port come in the order of time.
    """
    few = requests.rows(_ends)
    carried: dict[tuple[str, int], CarriedConnection] = {}
    for request in sorted(few, key=lambda one: one.start_us):
        source = request.client, request.port
        if source in carried and request.reused:
            carried[source] = carried[source]._replace(last=request)
            continue
        if source in carried:
            yield carried.pop(source)
        carried[source] = CarriedConnection(request, request)
    yield from carried.values()


def _ends(block: RequestColumns) -> RequestColumns:
    """The first and the last request that each connection has in these."""
    source = block.client << 16 | block.port
    order = np.lexsort((block.start_us, source))
    source = source[order]
    begins = block.opened[order]
    begins[:1] = True
    begins[1:] |= source[1:] != source[:-1]
    ends = np.append(begins[1:], True)
    return block.where(order[(begins | ends) & (block.port[order] != 0)])
