"""How late the requests of an open workload were sent.

Lateness is the generator's own: from the time when an arrival was due to the moment just
before its connection is opened or its first byte is handed to the kernel. Latencies count
from the planned start and so contain it.
"""

from collections.abc import Sequence

from ipvsload.scenario.measures.sent_late import LATENESS
from ipvsload.statistics.percentiles import percentile


def lateness_ms(ordered_us: Sequence[int]) -> dict[str, float]:
    """The figures of LATENESS in ms, of ascending times in µs; {} without any request."""
    if not ordered_us:
        return {}
    parts = {"p50": 50, "p99": 99, "max": 100}
    return {which: percentile(ordered_us, parts[which]) / 1000 for which in LATENESS}
