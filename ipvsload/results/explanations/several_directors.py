"""Several directors, of which each chooses by the connections that it knows itself.

ip_vs_lc.c, ip_vs_wlc.c, ip_vs_sed.c and ip_vs_nq.c read the counters of their own
table. What other directors have given to a server is not in them, so all may choose
the same one (kubernetes/kubernetes#79213).
"""

from collections.abc import Iterator

from ipvsload.record.nodes import nodes
from ipvsload.results.explanations.evidence import FEWEST, RunEvidence

_BY_CONNECTIONS = ("load", "idle")


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where a scheduler that counts connections ran on several directors."""
    scheduler = seen.scheduler
    if scheduler is None or scheduler.choice not in _BY_CONNECTIONS or len(seen.opened) < FEWEST:
        return
    count = len(nodes(seen.run.samples))
    if count < 2:
        return
    yield (
        f"{count} directors balanced over the same servers, and each chose by its own connections"
        f" only: {scheduler.name} saw a server as idle on one that was busy with those of the"
        f" other{'s' if count > 2 else ''}; see docs/schedulers.md#several-directors"
    )
