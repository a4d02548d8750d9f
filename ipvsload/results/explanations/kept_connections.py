"""Keep-alive users that stay where they are, whatever becomes of the servers.

IPVS chooses a server for a connection, at its first packet; later packets find
the connection in its table (ip_vs_core.c, ip_vs_in). So requests on a connection
that is kept go where the first one went.
"""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import FEWEST, RunEvidence, more

_RULE = (
    "IPVS chooses a server for a connection, not for a request (ip_vs_core.c, ip_vs_in);"
    f" {more('kept-connections')}"
)


def explain(seen: RunEvidence) -> Iterator[str]:
    """For each class: servers that came too late, and servers of weight 0 that went on serving."""
    for traffic in sorted({request.traffic for request in seen.run.requests if request.reused}):
        yield from _newcomers(seen, traffic)
        yield from _drained(seen, traffic)


def _newcomers(seen: RunEvidence, traffic: str) -> Iterator[str]:
    mine = [request for request in seen.run.requests if request.traffic == traffic]
    begun = min(request.start_us for request in mine)
    for address, event in seen.joined.items():
        if event.t_us <= begun:
            continue
        after = [request for request in mine if request.start_us > event.t_us]
        kept = sum(request.reused for request in after)
        elsewhere = all(request.server and request.server != address for request in after)
        # Nine of ten on connections that were kept: then this is why.
        if elsewhere and kept >= max(FEWEST, 0.9 * len(after)):
            yield (
                f"{traffic}: {seen.name_of(address)} joined at"
                f" {(event.t_us - seen.run.start_us) / 1e6:.1f} s and got none of the {len(after)}"
                f" requests that followed: {kept} of them were on connections that were kept"
                f" open. {_RULE}"
            )


def _drained(seen: RunEvidence, traffic: str) -> Iterator[str]:
    for address, since in _since_weight_0(seen).items():
        kept = sum(
            request.reused and request.server == address and request.start_us > since
            for request in seen.run.requests
            if request.traffic == traffic
        )
        if kept >= FEWEST:
            yield (
                f"{traffic}: {seen.name_of(address)} had weight 0 from"
                f" {(since - seen.run.start_us) / 1e6:.1f} s on and served {kept} more requests:"
                f" weight 0 takes no new connections, and these were open before. {_RULE}"
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
