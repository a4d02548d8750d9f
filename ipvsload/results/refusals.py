"""Who refused a request: a real server, or the director, which gave it to none.

To a client both are "refused". The director's table tells them apart: a
connection stands in it with its server, or it was given to none, and then the
weights of that moment say why.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence

from ipvsload.ipvs.schedulers import refuses_weight_0
from ipvsload.record.format import NO_SERVER, Request, Sample
from ipvsload.results.kernel_counts import readings

REFUSED = "refused"
BY_SERVER = "the server"
"""IPVS gave the connection to a real server, and that refused it."""
BY_WEIGHT_0 = "weight 0"
"""A scheduler that hashes chose a server of weight 0, though others had some."""
BY_NO_SERVER = "no server"
"""IPVS had no server to give it to."""
NOT_KNOWN = "not known"
"""The director was not asked."""


def refused_by(requests: Iterable[Request], samples: Sequence[Sample]) -> dict[str, Counter[str]]:
    """How many requests of each class were refused, and by whom: one of the words above."""
    refused = [request for request in requests if request.error == REFUSED]
    if not refused:
        return {}
    moments = sorted(_passed_over(samples))
    times = [t_us for t_us, _ in moments]
    found: dict[str, Counter[str]] = {}
    for request in refused:
        if request.server is None:
            by = NOT_KNOWN
        elif request.server != NO_SERVER:
            by = BY_SERVER
        else:
            # The last sample before the request, or the first of all; or the next, because a
            # weight may have changed between them.
            place = max(0, bisect_right(times, request.start_us) - 1)
            passed_over = any(over for _, over in moments[place : place + 2])
            by = BY_WEIGHT_0 if passed_over else BY_NO_SERVER
        found.setdefault(request.traffic, Counter())[by] += 1
    return found


def _passed_over(samples: Sequence[Sample]) -> list[tuple[int, bool]]:
    """For each sample its time, and whether servers with weight may be passed over for one of 0."""
    found = []
    for sample, (t_us, table) in zip(samples, readings(samples), strict=True):
        weights = [server.weight for server in table.values()]
        hashes = any(refuses_weight_0(one.scheduler, one.flags) for one in sample.services)
        found.append((t_us, hashes and 0 in weights and any(weights)))
    return found
