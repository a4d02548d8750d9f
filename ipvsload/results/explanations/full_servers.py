"""Clients that are refused because every server is as full as its weight allows.

For ovf a weight is how many active connections a server takes (ip_vs_ovf.c,
ip_vs_ovf_schedule); people who think of it as a share set 1.
"""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import RunEvidence, more
from ipvsload.results.refusals import BY_NO_SERVER


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where it has happened while no server had weight 0."""
    refused = sum(by_whom.get(BY_NO_SERVER, 0) for by_whom in seen.refusals.values())
    scheduler = seen.scheduler
    if not refused or scheduler is None or not scheduler.capacity:
        return
    weights = [one for server in seen.kernel.servers.values() for one in server.weights]
    if not all(weights):
        return
    yield (
        f"{refused} requests were refused because all servers were full: {scheduler.name} takes a"
        f" weight for how many active connections a server may have, and here it was"
        f" {min(weights)}{f' to {max(weights)}' if max(weights) > min(weights) else ''}. Its rule:"
        f" {scheduler.rule}; {more(scheduler.name)}"
    )
