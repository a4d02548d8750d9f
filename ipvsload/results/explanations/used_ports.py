"""Connections from client ports whose last connection IPVS still remembers (ports_again.py)."""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import FEWEST, RunEvidence, more
from ipvsload.results.ports_again import REMEMBERED_S, ports_again, reuse_modes

_MEANING = {
    0: "with conn_reuse_mode 0 they followed it to its server: the scheduler was not asked, and the"
    " kernel did not count them",
    1: "with conn_reuse_mode 1 the scheduler chose anew, and the old connection was forgotten",
}


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where IPVS balanced and more than a few ports came again."""
    if seen.scheduler is None or seen.by_rules:
        return
    again = ports_again(seen.run.requests)
    if again < FEWEST:
        return
    modes = reuse_modes(seen.run)
    meaning = _MEANING.get(min(modes), "") if len(modes) == 1 else ""
    yield (
        f"{again} of {len(seen.opened)} connections came from a client port whose last one was less"
        f" than {REMEMBERED_S} s ago, and IPVS remembered that:"
        f" {meaning or 'conn_reuse_mode says what it does then'}; {more('client-ports')}"
    )
