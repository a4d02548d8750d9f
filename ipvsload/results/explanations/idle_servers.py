"""One server gets everything while the others have nothing to do.

Among servers without active connections sed and nq (ip_vs_sed.c, ip_vs_nq.c) choose
the same one each time, by weight or by when it was added: connections that end before
the next one comes all go to it. fo and ovf (ip_vs_fo.c, ip_vs_ovf.c) look at weights
first: only a server that is down or full makes room for the next.
"""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import RunEvidence, more

_WHY = {
    "idle": "the connections ended before the next ones came, so all servers were idle at each"
    " choice, and of idle ones the same one wins each time",
    "weight": "weights decide, and the next server's turn comes only where the first is down or"
    " full",
}


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where nearly every connection went to one server and no other had an active one."""
    scheduler, favourite = seen.scheduler, seen.favourite
    why = _WHY.get(scheduler.choice) if scheduler else None
    if scheduler is None or why is None or favourite is None:
        return
    others = [address for address in seen.eligible if address != favourite]
    if any(seen.kernel.servers[address].active_max for address in others):
        return
    yield (
        f"{seen.name_of(favourite)} got {seen.requests.opened[favourite]} of {len(seen.opened)}"
        f" connections although {len(others)} more had nothing to do: {why}. The rule of"
        f" {scheduler.name}: {scheduler.rule}; {more(scheduler.name)}"
    )
