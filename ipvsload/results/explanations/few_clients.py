"""Fewer client addresses than real servers, under a scheduler that chooses by the client's.

ip_vs_sh.c (ip_vs_sh_schedule) and ip_vs_mh.c (ip_vs_mh_schedule) hash the client's
address, and its port only with the flag sh-port or mh-port. So no more servers
are used than there are addresses, however many users there are.
"""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import FEWEST, RunEvidence, more


def explain(seen: RunEvidence) -> Iterator[str]:
    """Where some server can get nothing because of it."""
    scheduler = seen.scheduler
    if scheduler is None or scheduler.choice != "client" or len(seen.opened) < FEWEST:
        return
    port = next((flag for flag, _ in scheduler.flags if flag.endswith("-port")), "")
    clients = len(seen.clients)
    if port in seen.director.flags or clients >= len(seen.eligible) or _back_and_forth(seen):
        return
    came = "one client address" if clients == 1 else f"{clients} client addresses"
    used = "one server" if clients == 1 else f"{clients} servers"
    spread = "`clients:` in a scenario (in the lab)" + (f" or the flag {port}" if port else "")
    yield (
        f"all {len(seen.opened)} connections came from {came}, so {scheduler.name} gives them to"
        f" {used} of {len(seen.eligible)} at a time at most: {scheduler.rule}; {spread} spreads"
        f" them; {more(scheduler.name)}"
    )


def _back_and_forth(seen: RunEvidence) -> bool:
    """Whether a client's connections changed servers more often than servers come and go.

    Then its port counts, also where nobody could read the flag: /proc/net/ip_vs has none.
    """
    return seen.opened.most_changes + 1 > 2 * len(seen.eligible)
