"""Keep-alive users that stay where they are, whatever becomes of the servers.

IPVS chooses a server for a connection, at its first packet; later packets find
the connection in its table (ip_vs_core.c, ip_vs_in). Rules of iptables and nftables are
shown the first packet only, too (nf_nat_core.c, nf_nat_inet_fn). So requests on a
connection that is kept go where the first one went.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.request_table import RequestColumns
from ipvsload.record.row_groups import row_groups
from ipvsload.results.explanations.evidence import FEWEST, RunEvidence, more
from ipvsload.results.explanations.leaving_servers import since_weight_0


def _rule(seen: RunEvidence) -> str:
    who = "IPVS chooses a server for a connection, not for a request (ip_vs_core.c, ip_vs_in)"
    if seen.by_rules:
        who = (
            f"{seen.run.scheduler} chooses a server for a connection, not for a request: its rules"
            " are shown the first packet only (nf_nat_core.c, nf_nat_inet_fn)"
        )
    return f"{who}; {more('kept-connections')}"


class _Course:
    """One class of a run: its requests before and after servers joined, or had weight 0.

    `after` counts, for each of `joins_us`, the requests that began later, and `kept_after`
    those of them on kept connections. `last` is when the last one of each server began,
    `drained` counts those of a server since it had weight 0.
    """

    def __init__(self, joins_us: Sequence[int]) -> None:
        self._joins = np.array(joins_us, np.int64)
        self.after = np.zeros(len(joins_us), np.int64)
        self.kept_after = np.zeros(len(joins_us), np.int64)
        self.kept = 0
        self.first_us: int | None = None
        self.last: dict[str | None, int] = {}
        self.drained: Counter[str] = Counter()

    def add(self, server: str | None, found: RequestColumns) -> None:
        """More requests of one server."""
        start, reused = found.start_us, found.reused != 0
        self.after += self._later(start)
        self.kept_after += self._later(start[reused])
        self.kept += int(reused.sum())
        first, last = int(start.min()), int(start.max())
        self.first_us = min(first, first if self.first_us is None else self.first_us)
        self.last[server] = max(last, self.last.get(server, last))

    def _later(self, start_us: NDArray[Any]) -> NDArray[np.intp]:
        return len(start_us) - np.searchsorted(np.sort(start_us), self._joins, side="right")


def explain(seen: RunEvidence) -> Iterator[str]:
    """For each class: servers that came too late, and servers of weight 0 that went on serving."""
    if not seen.kernel.servers:
        return  # nobody reads a table
    since = since_weight_0(seen.run)
    joins_us = [event.t_us for event in seen.joined.values()]
    requests = seen.run.requests
    ends = np.array([since.get(text or "", sys.maxsize) for text in requests.texts], np.int64)
    by_class: dict[str, _Course] = {}
    for block in requests.blocks("traffic", "server", "start_us", "reused"):
        for (of, at), rows in row_groups(block.traffic, block.server):
            name, server = requests.texts[of] or "", requests.texts[at] or None
            course = by_class.setdefault(name, _Course(joins_us))
            course.add(server, block.where(rows))
        weightless = block.where((block.reused != 0) & (block.start_us > ends[block.server]))
        for (of, at), rows in row_groups(weightless.traffic, weightless.server):
            by_class[requests.texts[of] or ""].drained[requests.texts[at] or ""] += len(rows)
    for traffic, course in sorted(by_class.items()):
        if course.kept:
            yield from _newcomers(seen, traffic, course)
            yield from _drained(seen, traffic, course, since)


def _newcomers(seen: RunEvidence, traffic: str, course: _Course) -> Iterator[str]:
    late = []
    counted = zip(course.after.tolist(), course.kept_after.tolist(), strict=True)
    for (address, event), (after, kept) in zip(seen.joined.items(), counted, strict=True):
        # It got nothing, and of what came after, every request's server is known.
        elsewhere = max(course.last.get(address, -1), course.last.get(None, -1)) <= event.t_us
        # Nine of ten on connections that were kept: then this is why.
        had_weight = address in seen.eligible
        begun = course.first_us is not None and event.t_us > course.first_us
        if had_weight and begun and elsewhere and kept >= max(FEWEST, 0.9 * after):
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
    seen: RunEvidence, traffic: str, course: _Course, since: dict[str, int]
) -> Iterator[str]:
    kept = course.drained
    for address, count in kept.most_common(1):
        if count >= FEWEST:
            others = f" (and {len(kept) - 1} more servers like it)" if len(kept) > 1 else ""
            yield (
                f"{traffic}: {seen.name_of(address)} had weight 0 from"
                f" {(since[address] - seen.run.start_us) / 1e6:.1f} s on and served {count} more"
                f" requests{others}: weight 0 takes no new connections, and these were open"
                f" before. {_rule(seen)}"
            )
