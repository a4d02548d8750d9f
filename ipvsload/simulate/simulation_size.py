"""What a simulation would take, before it begins: too much of it is refused in words.

The figures are rough and were measured once; they are there so that nobody waits for a machine
that runs out of memory.
"""

import math
from collections.abc import Sequence

from ipvsload.errors import UsageError
from ipvsload.scenario.actions.start import Start
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.servers_needed import servers_needed
from ipvsload.scenario.stages import expected
from ipvsload.scenario.traffic import Traffic
from ipvsload.scenario.variant import Variant
from ipvsload.scenario.words import counted

MOST_ENTRIES = 100_000
"""Of servers in all directors' tables together, which are sampled twice a second at least."""
MOST_ENTRIES_SUMMARIZED = 5_000_000
"""The same where no table is recorded: some 600 bytes each."""
_REQUEST_BYTES = 1_200
_SAMPLED_ENTRY_BYTES = 250
_LEAST_SAMPLES = 2
"""A second."""
_MOST_BYTES = 4 * 10**9
_MUCH_BYTES = 4 * 10**8


def refuse_too_large(scenario: Scenario, *, summary: bool) -> None:
    """Raise UsageError where servers times directors are too many for a model of each."""
    servers, directors = servers_needed(scenario), scenario.service.directors
    entries = servers * directors
    most = MOST_ENTRIES_SUMMARIZED if summary else MOST_ENTRIES
    if entries <= most:
        return
    asked = f"{counted(servers, 'server')} in the tables of {counted(directors, 'director')}"
    told = f"{asked} are {entries:,} entries, and "
    if summary:
        raise UsageError(f"{told}{most:,} is the most: take fewer servers or fewer directors")
    instead = "take fewer servers or fewer directors"
    if entries <= MOST_ENTRIES_SUMMARIZED:
        instead += ", or --summary, which keeps no record"
    else:
        instead += f" (with --summary, which keeps no record, up to {MOST_ENTRIES_SUMMARIZED:,})"
    raise UsageError(f"{told}{most:,} is the most that is recorded: {instead}")


def refuse_too_long_a_record(
    scenario: Scenario, variants: Sequence[Variant], repeats: int
) -> str | None:
    """Words where the record will be large; None where it is not, or nobody knows before.

    Raises UsageError where it would be too large to be read again.
    """
    runs = len(variants) * repeats
    requests = sum(
        _requests(scenario.traffic[name])
        for step in scenario.timeline
        if isinstance(step.action, Start)
        for name in step.action.classes
    )
    entries = servers_needed(scenario) * scenario.service.directors
    finite = (one.seconds for one in scenario.traffic.values() if math.isfinite(one.seconds))
    sampled = entries * max(finite, default=0.0) * _LEAST_SAMPLES
    size = runs * (requests * _REQUEST_BYTES + sampled * _SAMPLED_ENTRY_BYTES)
    if size < _MUCH_BYTES:
        return None
    told = (
        f"a record of {counted(runs, 'run')} with {requests * runs:,.0f} requests and"
        f" {sampled * runs:,.0f} entries of tables takes some {size / 1e9:,.1f} GB of memory"
    )
    if size > _MOST_BYTES:
        raise UsageError(
            f"{told}, and {_MOST_BYTES / 1e9:.0f} GB is the most: take fewer servers, directors,"
            " schedulers or repeats, or --summary, which keeps no single request"
        )
    return f"{told}; --summary keeps no single request, and is much quicker"


def _requests(spec: Traffic) -> float:
    """How many there will be, as far as the scenario says it."""
    if spec.trace is not None:
        found = float(spec.trace.arrivals)
    elif spec.open:
        found = expected(spec.rate_stages)
    else:
        found = math.inf if spec.requests is not None else 0.0
    found = min(found, math.inf if spec.requests is None else spec.requests)
    return found if math.isfinite(found) else 0.0
