"""Servers that leave: since when they have weight 0, what went to them all the same, and removals.

What several explanations look at and begin their notes with; the reasons are theirs.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ipvsload.record.reader import RecordedRun
from ipvsload.record.row_groups import row_groups
from ipvsload.record.told_sysctls import told_sysctls
from ipvsload.results.explanations.evidence import FEWEST, RunEvidence

_NEVER = np.iinfo(np.int64).max


class LateConnections(NamedTuple):
    """New connections to a server that had weight 0 since `since_us`; `failed` of them failed."""

    address: str
    since_us: int
    connections: int
    failed: int

    def words(self, seen: RunEvidence) -> str:
        """That in words: the beginning of a note."""
        failed = f", of which {self.failed} failed" if self.failed else ""
        return (
            f"{seen.name_of(self.address)} had weight 0 from"
            f" {(self.since_us - seen.run.start_us) / 1e6:.1f} s on and got {self.connections} more"
            f" connections{failed}"
        )


def since_weight_0(run: RecordedRun) -> dict[str, int]:
    """Since when (µs) a server has weight 0 to the end, for those that had another before."""
    since: dict[str, int] = {}
    weighted: set[str] = set()
    for sample in run.samples:
        for service in sample.services:
            for server in service.servers:
                if server.weight:
                    weighted.add(server.address)
                    since.pop(server.address, None)
                elif server.address in weighted:
                    since.setdefault(server.address, sample.t_us)
    return since


def late_connections(seen: RunEvidence) -> list[LateConnections]:
    """Of each server with weight 0, where they are not just a few; the most first."""
    since = since_weight_0(seen.run)
    if not since:
        return []
    requests = seen.run.requests
    after = np.array([since.get(text or "", _NEVER) for text in requests.texts], np.int64)
    made: dict[str, int] = {}
    failed: dict[str, int] = {}
    for block in requests.blocks("server", "start_us", "reused", "error", "status"):
        late = block.where(block.opened & (block.start_us > after[block.server]))
        for (at,), rows in row_groups(late.server):
            address = requests.texts[at] or ""
            made[address] = made.get(address, 0) + len(rows)
            failed[address] = failed.get(address, 0) + int(late.failed[rows].sum())
    found = [LateConnections(one, since[one], made[one], failed[one]) for one in made]
    return sorted((one for one in found if one.connections >= FEWEST), key=lambda o: -o.connections)


def note_of_weight_0(seen: RunEvidence, sysctl: str, why: str) -> Iterator[str]:
    """A note on the server of weight 0 that got most, where `sysctl` was 0, which makes it so."""
    if 0 in told_sysctls(seen.run.events, sysctl):
        for one in late_connections(seen)[:1]:
            yield f"{one.words(seen)}: {why}"


def removals(run: RecordedRun) -> list[tuple[int, int]]:
    """When servers were taken out of a table: between which two times (µs)."""
    found = []
    tables: dict[str, tuple[int, set[str]]] = {}
    for sample in run.samples:
        there = {server.address for service in sample.services for server in service.servers}
        before_us, before = tables.get(sample.node, (sample.t_us, there))
        if before - there:
            found.append((before_us, sample.t_us))
        tables[sample.node] = sample.t_us, there
    return found
