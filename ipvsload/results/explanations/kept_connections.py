"""Keep-alive users that stay where they are, whatever becomes of the servers.

IPVS chooses a server for a connection, at its first packet; later packets find
the connection in its table (ip_vs_core.c, ip_vs_in). Rules of iptables and nftables are
shown the first packet only, too (nf_nat_core.c, nf_nat_inet_fn). So requests on a
connection that is kept go where the first one went.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from ipvsload.record.format import Request
from ipvsload.results.explanations.evidence import FEWEST, RunEvidence, more


def _rule(seen: RunEvidence) -> str:
    who = "IPVS chooses a server for a connection, not for a request (ip_vs_core.c, ip_vs_in)"
    if seen.by_rules:
        who = (
            f"{seen.run.scheduler} chooses a server for a connection, not for a request: its rules"
            " are shown the first packet only (nf_nat_core.c, nf_nat_inet_fn)"
        )
    return f"{who}; {more('kept-connections')}"


def explain(seen: RunEvidence) -> Iterator[str]:
    """For each class: servers that came too late, and servers of weight 0 that went on serving."""
    if not seen.kernel.servers:
        return  # nobody reads a table
    since = _since_weight_0(seen)
    by_class: dict[str, list[Request]] = {}
    for request in seen.run.requests:
        by_class.setdefault(request.traffic, []).append(request)
    for traffic, requests in sorted(by_class.items()):
        if any(request.reused for request in requests):
            yield from _newcomers(seen, traffic, requests)
            yield from _drained(seen, traffic, requests, since)


def _newcomers(seen: RunEvidence, traffic: str, requests: list[Request]) -> Iterator[str]:
    requests = sorted(requests, key=lambda request: request.start_us)
    starts = [request.start_us for request in requests]
    # How many of the requests up to each one were on kept connections.
    kept_until = [0, *accumulate(int(request.reused) for request in requests)]
    last = {request.server or None: request.start_us for request in requests}
    late = []
    for address, event in seen.joined.items():
        place = bisect_right(starts, event.t_us)
        after, kept = len(requests) - place, kept_until[-1] - kept_until[place]
        # It got nothing, and of what came after, every request's server is known.
        elsewhere = max(last.get(address, -1), last.get(None, -1)) <= event.t_us
        # Nine of ten on connections that were kept: then this is why.
        had_weight = address in seen.eligible
        if had_weight and event.t_us > starts[0] and elsewhere and kept >= max(FEWEST, 0.9 * after):
            late.append((event, after, kept))
    if not late:
        return
    event, after, kept = late[0]
    others = f", and neither did {len(late) - 1} more that came later" if late[1:] else ""
    yield (
        f"{traffic}: server {event.number} joined at {(event.t_us - seen.run.start_us) / 1e6:.1f} s"
        f" and got none of the {after} requests that followed{others}: {kept} of them were on"
        f" connections that were kept open. {_rule(seen)}"
    )


def _drained(
    seen: RunEvidence, traffic: str, requests: list[Request], since: dict[str, int]
) -> Iterator[str]:
    kept = Counter(
        request.server
        for request in requests
        if request.reused and request.server in since and request.start_us > since[request.server]
    )
    for address, count in kept.most_common(1):
        if address and count >= FEWEST:
            others = f" (and {len(kept) - 1} more servers like it)" if len(kept) > 1 else ""
            yield (
                f"{traffic}: {seen.name_of(address)} had weight 0 from"
                f" {(since[address] - seen.run.start_us) / 1e6:.1f} s on and served {count} more"
                f" requests{others}: weight 0 takes no new connections, and these were open"
                f" before. {_rule(seen)}"
            )


def _since_weight_0(seen: RunEvidence) -> dict[str, int]:
    """Since when a server has weight 0 to the end, for those that had another before."""
    since: dict[str, int] = {}
    weighted: set[str] = set()
    for sample in seen.run.samples:
        for service in sample.services:
            for server in service.servers:
                if server.weight:
                    weighted.add(server.address)
                    since.pop(server.address, None)
                elif server.address in weighted:
                    since.setdefault(server.address, sample.t_us)
    return since
