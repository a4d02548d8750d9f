"""Why a run's result does not count.

A wrong number is worse than none. So a run must be complete and its samples
without gaps, no request may be missing, and the generator must have counted as
many connections as the kernel.
"""

import math
from collections.abc import Iterator, Mapping

from ipvsload.record.events import (
    ChangedByHand,
    ClassStarted,
    RunEnded,
    RunInvalid,
    RunPlanned,
    RunStarted,
    RunStopped,
)
from ipvsload.record.reader import RecordedRun
from ipvsload.record.told_sysctls import told_sysctls
from ipvsload.results.kernel_counts import KernelCounts
from ipvsload.results.ports_again import is_persistent, ports_again
from ipvsload.results.refusals import BY_NO_SERVER, BY_WEIGHT_0
from ipvsload.results.request_counts import RequestCounts
from ipvsload.results.sampling import active_span
from ipvsload.scenario.model import Scenario

MAX_GAP_SECONDS = 1.0
MAX_NODES_TOLD = 3
"""Of more directors without samples the worst one stands for all: they may be one kernel's."""
_DIRECTOR_REFUSED = {
    BY_NO_SERVER: "had no server for them",
    BY_WEIGHT_0: "chose a server of weight 0 for them",
}
_OF_THIS_MACHINE = {
    "no port": "local port left, or no address of the target's family; spread the load over more"
    " client addresses or machines, or more `source-ports` where they are few",
    "no descriptor": "open file left for its process; raise the hard limit (ulimit -Hn)",
}


def reasons(
    run: RecordedRun, scenario: Scenario | None, requests: RequestCounts, kernel: KernelCounts
) -> tuple[str, ...]:
    """Every reason why this run is not valid, for people; empty if it is."""
    invalid = run.of_type(RunInvalid)
    found = [event.reason for event in invalid]
    by_hand = run.of_type(ChangedByHand)
    if by_hand:
        told = "; ".join(
            f"{event.text} at {(event.t_us - run.start_us) / 1e6:.1f} s" for event in by_hand
        )
        found.append(f"changed by hand: {told}")
    ends = run.of_type(RunEnded)
    complete = bool(ends) and ends[-1].complete
    if not complete and not invalid:
        found.append("the run was broken off" if ends else "the run was not finished")
    whole = complete and not run.of_type(RunStopped)
    if whole and not invalid and scenario is not None:
        found += _missing_requests(run, scenario, requests)
    found += _never_sent(requests)
    found += _gaps(run, requests)
    if run.exclusive:
        found += [
            f"{n} answered {name} requests have no known server"
            for name, n in sorted(requests.unknown.items())
        ]
        if not requests.unknown and complete:
            found += _connections(run, requests, kernel)
    return tuple(dict.fromkeys(found))


def notes(
    run: RecordedRun, requests: RequestCounts, refusals: Mapping[str, Mapping[str, int]]
) -> tuple[str, ...]:
    """What a reader should know of a run that counts nevertheless."""
    ends = run.of_type(RunEnded)
    again = ends[-1].retransmits if ends else 0
    found = []
    found += [event.guess for event in run.of_type(RunStarted) if event.guess]
    if run.of_type(RunStarted) and not run.service:
        found.append(
            "nothing read the balancer's table: its scheduler, weights and connections are not"
            " known, nor which servers it has"
        )
    if again:
        found.append(f"{again} TCP retransmission timeouts: some latency may be the network's")
    found += _in_no_count(run, requests, refusals)
    return tuple(found)


def _in_no_count(
    run: RecordedRun, requests: RequestCounts, refusals: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    """Failed requests that stand in no server's count, with the reason."""
    for name, by_whom in sorted(refusals.items()):
        for by, why in _DIRECTOR_REFUSED.items():
            if by in by_whom:
                yield f"{name}: {by_whom[by]} requests were refused by the director, which {why}"
    for name, n in sorted(requests.given_to_none.items()):
        told = sum(refusals.get(name, {}).get(by, 0) for by in _DIRECTOR_REFUSED)
        if n > told:
            yield (
                f"{name}: {n - told} failed requests are in no server's count: the director gave"
                " them to none, or has forgotten to which"
            )
    # Records of version 0.1.0 do not tell who was not asked from whom nobody had.
    asked = "was not asked" if run.of_type(RunPlanned) else "did not say"
    for name, n in sorted(requests.not_asked.items()):
        yield (
            f"{name}: {n} failed requests are in no server's count: the director {asked}"
            " to which it gave them"
        )


def _never_sent(requests: RequestCounts) -> Iterator[str]:
    """Requests that the generator's machine had nothing left for: they say nothing of servers."""
    for name, kinds in sorted(requests.errors.items()):
        for kind, lacking in _OF_THIS_MACHINE.items():
            if kind in kinds:
                yield (
                    f"{name}: {kinds[kind]} requests were never sent: the generator's machine had"
                    f" no {lacking}"
                )


def _gaps(run: RecordedRun, requests: RequestCounts) -> Iterator[str]:
    """Stretches of more than a second without a sample while steps or requests went on."""
    span = active_span(run, requests.last_us)
    if span is None:
        return
    begin, end = span
    if not run.samples and not run.service:
        return  # nothing was to read the table: see `notes`
    if not run.samples:
        yield "there are no samples of the kernel's table"
        return
    found = []
    for node in dict.fromkeys(sample.node for sample in run.samples):
        times = sorted(sample.t_us for sample in run.samples if sample.node == node)
        inside = [t for t in times if begin < t < end]
        holes = [
            (b - a, a, b)
            for a, b in zip([begin, *inside], [*inside, end], strict=True)
            if b - a > MAX_GAP_SECONDS * 1e6
        ]
        if holes:
            found.append((*max(holes), node, len(holes)))
    if len(found) > MAX_NODES_TOLD:
        length, a, b, node, _ = max(found)
        found = [(length, a, b, node, sum(count for *_, count in found))]
    for _, a, b, node, count in found:
        more = f", and {count - 1} more such holes" if count > 1 else ""
        yield (
            f"no sample of {node} between {(a - run.start_us) / 1e6:.1f} s and "
            f"{(b - run.start_us) / 1e6:.1f} s{more}"
        )


def _missing_requests(
    run: RecordedRun, scenario: Scenario, requests: RequestCounts
) -> Iterator[str]:
    """Classes of a fixed number of requests that have not that many records."""
    stopped = {name for step in scenario.timeline for name in step.stop or ()}
    for name, traffic in scenario.traffic.items():
        if traffic.requests is None or math.isfinite(traffic.seconds) or name in stopped:
            continue
        starts = sum(event.traffic == name for event in run.of_type(ClassStarted))
        recorded = requests.requests(name)
        if recorded != starts * traffic.requests:
            yield f"{name}: {recorded} of {starts * traffic.requests} requests are recorded"


def _connections(run: RecordedRun, requests: RequestCounts, kernel: KernelCounts) -> Iterator[str]:
    """Where the kernel's count of connections is not the generator's own.

    A connection that failed before its server was known may be in the kernel's
    count or not: it widens what is accepted. A server that left was last read
    up to two seconds before and is not compared. Of a port that came again the
    kernel may have counted the first connection alone.
    """
    unknown = requests.opened[None]
    follows = 0 in told_sysctls(run.events, "conn_reuse_mode") or is_persistent(run.samples)
    uncounted = ports_again(run.requests) if follows else 0
    for address, server in kernel.servers.items():
        most = requests.opened[address] + unknown
        least = max(0, requests.opened[address] - uncounted)
        if server.present and not least <= server.connections <= most:
            wanted = f"{least} to {most}" if least < most else str(least)
            yield (
                f"{address}: the kernel counted {server.connections} connections, "
                f"the generator opened {wanted}"
            )
