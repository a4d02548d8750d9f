"""Clients that are refused because a scheduler that hashes keeps a server of weight 0.

Such a server keeps its places in the table of sh and mh (ip_vs_sh.c,
ip_vs_sh_reassign; ip_vs_mh.c, ip_vs_mh_populate, by `last_weight`) and of dh
(ip_vs_dh.c, ip_vs_dh_reassign). Whose hash falls on it gets no server, unless a flag
has the scheduler fall back on another.
"""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import RunEvidence, more
from ipvsload.results.refusals import BY_WEIGHT_0


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where it has happened."""
    refused = sum(by_whom.get(BY_WEIGHT_0, 0) for by_whom in seen.refusals.values())
    scheduler = seen.scheduler
    if not refused or scheduler is None:
        return
    flag = next((name for name, _ in scheduler.flags if name.endswith("-fallback")), "")
    mend = "removing it moves them" + (f", and so does the flag {flag}" if flag else "")
    yield (
        f"weight 0 does not move the clients of a server under {scheduler.name}: it keeps its"
        f" places in the hash table, and {refused} requests of theirs were refused; {mend}."
        f" The rule: {scheduler.rule}; {more('weight-0')}"
    )
