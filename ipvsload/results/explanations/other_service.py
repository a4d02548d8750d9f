"""The load went round the virtual service that was watched: nothing of it was counted there.

A firewall mark comes before the address (ip_vs_ctl.c, ip_vs_service_find), several
services may fit a URL behind an address translation, and a table may be another
director's.
"""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import FEWEST, RunEvidence


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where the kernel had no connection at all, also none that it counted later."""
    opened = len(seen.opened)
    had = (seen.kernel.connections, seen.kernel.active_max, seen.kernel.inactive_max)
    answered = seen.opened.answered
    if opened >= FEWEST and had == (0, 0, 0) and seen.kernel.servers and answered:
        yield (
            f"none of {opened} connections was seen in {seen.run.service}: they went to another"
            " virtual service (that of a firewall mark comes before the address), or past this"
            " director; see docs/external.md#which-virtual-service-is-meant"
        )
