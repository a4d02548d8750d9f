"""A persistent service: the first connection of a client is scheduled, the next ones follow it.

The kernel keeps a template for each client (ip_vs_core.c, ip_vs_sched_persist), for
as long as connections follow it and the timeout after the last one. The
template is what the scheduler chose; `persistent` in the samples counts them. With a
netmask, clients whose addresses begin with the same bits share one. Each director has
templates of its own.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from itertools import pairwise

from ipvsload.results.director import PERSISTENT_WORD
from ipvsload.results.explanations.evidence import RunEvidence, more
from ipvsload.results.explanations.leaving_servers import note_of_weight_0
from ipvsload.results.kernel_counts import readings


def explain(seen: RunEvidence) -> Iterator[str]:
    """How many choices were the scheduler's."""
    lasts = next((w for w in seen.director.of_service if w.startswith(PERSISTENT_WORD)), "")
    opened, clients = len(seen.opened), len(seen.clients)
    if not lasts or not opened:
        return
    templates = [
        sum(server.persistent for server in table.values())
        for _, table in readings(seen.run.samples)
    ]
    fell = any(later < earlier for earlier, later in pairwise(templates))
    chosen = templates[-1] - templates[0]
    came = "one client address" if clients == 1 else f"{clients} client addresses"
    keeps, keepers = "each client keeps its server", clients
    if _masked(seen):
        keepers = len({ip_network(f"{one}/{seen.run.netmask}", False) for one in seen.clients})
        keeps = f"all clients of a network of {seen.run.netmask} bits keep one server"
        came += f" in {keepers} such network{'s' if keepers > 1 else ''}"
    keepers *= len({sample.node for sample in seen.run.samples})
    # Templates of others, or that ran out, or that nobody counted (/proc does not).
    if fell or not templates[-1] or chosen > keepers:
        share = f"of {opened} choices only some were the scheduler's"
    elif not chosen:
        share = f"all {opened} connections followed templates that were there before the run"
    else:
        were = "was" if chosen == 1 else "were"
        share = (
            f"{chosen} of {opened} choices {were} the scheduler's, and {opened - chosen}"
            " connections followed"
        )
    yield (
        f"{lasts}, so {keeps}: {share}. They came from {came}."
        f" The rule: ip_vs_core.c, ip_vs_sched_persist; {more('persistence')}"
    )
    yield from note_of_weight_0(
        seen,
        "expire_quiescent_template",
        "a client's template leads to its server also where that has weight 0, with"
        " expire_quiescent_template 0 (ip_vs_conn.c, ip_vs_check_template);"
        f" {more('persistence')}",
    )


def _masked(seen: RunEvidence) -> bool:
    """Whether only a part of each address counts."""
    bits = max((ip_address(one).max_prefixlen for one in seen.clients), default=0)
    return seen.run.netmask is not None and seen.run.netmask < bits
