"""Servers that got unlike shares because each connection is drawn, and nothing else counts.

iptables and nftables draw (xt_statistic.c, nft_numgen.c): after N draws of k servers each has
N/k, give or take the standard deviation of a binomial, sqrt(N (1/k) (1 - 1/k)).
"""

from collections.abc import Iterator
from math import sqrt

from ipvsload.results.explanations.evidence import FEWEST, RunEvidence, more

_UNLIKE = 0.2
"""Of the mean: a range of counts that people see."""


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where the same servers were there all the time and their counts differ."""
    scheduler, opened = seen.scheduler, seen.opened
    if scheduler is None or not seen.by_rules or scheduler.choice != "chance":
        return
    servers = seen.kernel.servers
    begin = opened.first_us
    always = all(event.t_us <= begin for event in seen.joined.values())
    stayed = all(one.present and one.weights == [1] for one in servers.values())
    if len(opened) < FEWEST or len(servers) < 2 or not always or not stayed:
        return
    counts = [seen.requests.opened[address] for address in servers]
    mean = len(opened) / len(servers)
    # Failed ones may be in no server's count, and then the counts are not the draws'.
    if sum(counts) < len(opened) or max(counts) - min(counts) < _UNLIKE * mean:
        return
    deviation = sqrt(mean * (1 - 1 / len(servers)))
    yield (
        f"{scheduler.name} draws a server for each connection, whatever it has to do: of"
        f" {len(opened)} connections each of {len(servers)} servers got {min(counts)} to"
        f" {max(counts)}, where chance gives {mean:.0f}, give or take {deviation:.0f}. The rule:"
        f" {scheduler.rule}; {more(scheduler.name)}"
    )
