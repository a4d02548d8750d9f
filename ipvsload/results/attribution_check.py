"""Two witnesses of which server had a request: the kernel's list of connections, and the answer."""

from collections.abc import Iterator

from ipvsload.record.listed_servers import Attribution
from ipvsload.record.reader import RecordedRun
from ipvsload.results.request_counts import RequestCounts


def disagreements(run: RecordedRun, found: Attribution | None) -> Iterator[str]:
    """Why the run does not count, where the two do not say the same."""
    if not found or not found.disagreed:
        return
    first = found.disagreements[0]
    answers = "1 answer" if found.disagreed == 1 else f"{found.disagreed} answers"
    at = (first.start_us - run.start_us) / 1e6
    yield (
        f"{answers} named another server than the kernel had chosen: {first.traffic} at {at:.3f} s"
        f" from {first.client}, port {first.port}, was answered by {first.named}, and the"
        f" director's list of connections has {first.kernel}"
    )


def attribution_notes(
    run: RecordedRun, found: Attribution | None, requests: RequestCounts
) -> Iterator[str]:
    """Of which classes the requests by server are not known, and why."""
    if run.exclusive or not requests.unknown:  # else it is a reason
        return
    for name, n in sorted(requests.unknown.items()):
        yield (
            f"{name}: which server answered is not known for {n} requests, so its requests by"
            " server are not either"
        )
    if run.service:
        yield f"which server answered: {_why_not_known(found)}"


def _why_not_known(found: Attribution | None) -> str:
    """Why the list did not tell the server of each request."""
    if found is None:
        return (
            "the director's list of connections was not read, which a sidecar of an earlier version"
            " cannot do"
        )
    if found.connections and found.connections == found.others:
        return (
            f"the director knows this load by other addresses: none of the {found.connections}"
            " connections in its list came from an address of ours. How many each server got of all"
            " connections, its counters say"
        )
    if found.lacking:
        return f"the director's list of connections may lack some: {'; '.join(found.lacking)}"
    if not found.connections:
        return "the director's list of connections had none of the service's"
    return (
        "their ports came again before the director's list of connections was read, or it had"
        " forgotten them"
    )
