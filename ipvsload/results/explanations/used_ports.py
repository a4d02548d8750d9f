"""Connections from client ports whose last connection IPVS still remembers (ports_again.py)."""

from collections.abc import Iterator

import numpy as np

from ipvsload.record.told_sysctls import told_sysctls
from ipvsload.results.explanations.evidence import FEWEST, RunEvidence, more
from ipvsload.results.explanations.leaving_servers import note_of_weight_0
from ipvsload.results.ports_again import REMEMBERED_S, is_persistent, ports_again

_MEANING = {
    0: "with conn_reuse_mode 0 they followed it to its server: the scheduler was not asked, and the"
    " kernel did not count them",
    1: "with conn_reuse_mode 1 the scheduler chose anew, and the old connection was forgotten",
}

_OF_PERSISTENT = (
    "where the service is persistent they followed it to its server (is_new_conn_expected), and the"
    " kernel did not count them"
)


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where IPVS balanced and more than a few ports came again."""
    if seen.scheduler is None or seen.by_rules:
        return
    again = ports_again(seen.run.requests)
    if again < FEWEST:
        return
    modes = told_sysctls(seen.run.events, "conn_reuse_mode")
    persistent = is_persistent(seen.run.samples)
    meaning = _MEANING.get(min(modes), "") if len(modes) == 1 else ""
    if persistent:
        meaning = _OF_PERSISTENT
    yield (
        f"{again} of {len(seen.opened)} connections came from a client port whose last one was less"
        f" than {REMEMBERED_S} s ago, and IPVS remembered that:"
        f" {meaning or 'conn_reuse_mode says what it does then'}; {more('client-ports')}"
    )
    if modes == {0} or persistent:
        yield from _newcomers(seen)
        yield from note_of_weight_0(
            seen,
            "expire_nodest_conn",
            "they came from ports that it had connections of before, and follow these whatever"
            " weight it has, with expire_nodest_conn 0 (ip_vs_core.c, ip_vs_in_hook);"
            f" {more('client-ports')}",
        )


def _newcomers(seen: RunEvidence) -> Iterator[str]:
    """Servers that joined and got nothing, because connections followed those before them."""
    requests = seen.run.requests
    for address, joined in seen.joined.items():
        after = found = 0
        for block in requests.blocks("server", "start_us", "reused"):
            later = block.where(block.opened & (block.start_us > joined.t_us))
            after += len(later.start_us)
            its = [n for n, text in enumerate(requests.texts) if text is None or text == address]
            found += int(np.isin(later.server, its).sum())
        if joined.t_us > seen.opened.first_us and after >= FEWEST and not found:
            yield (
                f"{seen.name_of(address)} joined at"
                f" {(joined.t_us - seen.run.start_us) / 1e6:.1f} s and got none of the {after}"
                " connections that came after it: they came from ports that IPVS remembered, and"
                f" followed the connections before them (ip_vs_core.c, ip_vs_in_hook);"
                f" {more('client-ports')}"
            )
