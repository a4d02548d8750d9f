"""Requests that a kept connection never took: sent again or failed, and for what reason.

IPVS forgets a connection that was idle for its tcp timeout (ip_vs_proto_tcp.c,
tcp_timeouts, IP_VS_TCP_S_ESTABLISHED). What comes on it later makes no new one,
because only a SYN does so, unless sloppy_tcp is set (tcp_conn_schedule). So it
goes to the director's own TCP, which knows nothing of it and answers with a reset.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from ipvsload.record.events import DirectorSettings
from ipvsload.record.format import Request
from ipvsload.results.explanations.evidence import RunEvidence, more
from ipvsload.results.explanations.leaving_servers import removals

_ANSWERS = {
    "reset": "a reset",
    "closed": "its end",
    "refused": "ICMP (port unreachable)",
    "unreachable": "ICMP (unreachable)",
    "silence": "silence",
}


def explain(seen: RunEvidence) -> Iterator[str]:
    """For each class how many nobody took, what became of them, and why."""
    by_class: dict[str, list[Request]] = {}
    for request in seen.run.requests.rows(lambda block: block.where(block.untaken != 0)):
        by_class.setdefault(request.traffic, []).append(request)
    by_ipvs = seen.kernel.servers and not seen.by_rules
    ipvs = seen.run.of_type(DirectorSettings) if by_ipvs else []
    timeouts = [event.timeouts.get("tcp") for event in ipvs]
    timeout = min((one for one in timeouts if one), default=None)
    gone = removals(seen.run) if by_ipvs else []
    for name, requests in sorted(by_class.items()):
        again = [request for request in requests if request.retried]
        lost = [request for request in requests if not request.retried]
        again_why = "were sent again on a new connection, because a kept one did not take them"
        lost_why = "failed, because a kept connection did not take them"
        for fate, found in ((again_why, again), (lost_why, lost)):
            if found:
                yield (
                    f"{name}: {len(found)} requests {fate} and answered with"
                    f" {_answers(found)}{_removed(found, gone) or _why(found, timeout)}"
                )


def _answers(requests: Sequence[Request]) -> str:
    counts = Counter(request.untaken or "" for request in requests)
    return ", ".join(
        _ANSWERS.get(answer, answer) + (f" ({n})" if len(counts) > 1 else "")
        for answer, n in counts.most_common()
    )


def _removed(requests: Sequence[Request], gone: Sequence[tuple[int, int]]) -> str:
    """Why, where a server was taken out of the table while the connections were idle."""
    for one in requests:
        idle_us = one.start_us - one.idle_us
        if not any(early <= one.start_us and late >= idle_us for early, late in gone):
            return ""
    return (
        ": a server was taken out of the table while they were idle, and what comes on a connection"
        " of such a server IPVS drops, or, with expire_nodest_conn, it forgets the connection and a"
        f" reset answers (ip_vs_core.c, ip_vs_in_hook); {more('removed-servers')}"
    )


def _why(requests: Sequence[Request], timeout: int | None) -> str:
    if timeout is None:
        return ""
    idle = [one.idle_us / 1e6 for one in requests if one.idle_us >= timeout * 1e6]
    if not idle:
        return (
            f"; none had been idle for IPVS's tcp timeout of {timeout} s, so the real server may"
            " have closed it just then"
        )
    which = "it" if len(idle) == len(requests) else f"that of {len(idle)}"
    least, most = f"{min(idle):.1f}", f"{max(idle):.1f}"
    span = least if least == most else f"{least} to {most}"
    return (
        f": {which} had been idle for {span} s, and IPVS forgets a connection that is idle for"
        f" its tcp timeout of {timeout} s (ip_vs_proto_tcp.c); {more('idle-connections')}"
    )
