"""One server gets everything because the scheduler chooses by the service's own address.

dh, lblc and lblcr (ip_vs_dh.c, ip_vs_lblc.c, ip_vs_lblcr.c) are made for caches, in
front of which the destination differs. Behind a virtual address it never does.
"""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import RunEvidence, more


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where nearly every connection went to one of several servers."""
    scheduler, favourite = seen.scheduler, seen.favourite
    if scheduler is None or scheduler.choice != "destination" or favourite is None:
        return
    yield (
        f"{scheduler.name} chooses by the destination address, and that is the virtual address of"
        f" every connection: {seen.name_of(favourite)} got {seen.requests.opened[favourite]} of"
        f" {len(seen.opened)} connections. Its rule: {scheduler.rule}; {more(scheduler.name)}"
    )
