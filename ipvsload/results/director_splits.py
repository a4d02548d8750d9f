"""How each of several directors split what came to it over the real servers.

The same for a lab's directors and for a cluster's nodes: each has a table of its
own. The sums over all of them hide what each did, and each knows of itself only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ipvsload.record.format import Sample
from ipvsload.record.nodes import nodes
from ipvsload.record.reader import RecordedRun
from ipvsload.record.request_table import RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.results import kernel_counts
from ipvsload.statistics.median_range import MedianRange, median_range


@dataclass(frozen=True, slots=True)
class DirectorSplit:
    """One director's part of a run.

    `connections` are the kernel's count in its table, by the server's address; `requests`
    by class and by address are of those whose director and server are known, and {} where
    no request's director is, as in a cluster.
    """

    node: str
    connections: dict[str, int]
    requests: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DirectorSummary:
    """One director over a scheduler's repeats; its connections by the servers' numbers."""

    node: str
    connections: dict[int, MedianRange | None]


def director_splits(run: RecordedRun, servers: Iterable[str]) -> tuple[DirectorSplit, ...]:
    """Each director's part, in the order of their names; none where there is only one.

    `servers` are the addresses in the order in which the results have them.
    """
    names = nodes(run.samples)
    if len(names) < 2:
        return ()
    samples: dict[str, list[Sample]] = {node: [] for node in names}
    for sample in run.samples:
        samples[sample.node].append(sample)
    of_director = _requests(run.requests)
    return tuple(
        DirectorSplit(node, _connections(run, samples[node], servers), of_director.get(number, {}))
        for number, node in enumerate(names, 1)
    )


def _requests(requests: RequestTable) -> dict[int, dict[str, dict[str, int]]]:
    """How many requests each director had, by class and by server, where it is known of both."""
    found: dict[int, dict[str, dict[str, int]]] = {}
    texts = requests.texts
    for block in requests.blocks("director", "traffic", "server"):
        for (director, traffic, at), rows in row_groups(
            block.director, block.traffic, block.server
        ):
            server = texts[at]
            if director and server:
                by_server = found.setdefault(director, {}).setdefault(texts[traffic] or "", {})
                by_server[server] = by_server.get(server, 0) + len(rows)
    return found


def summarize_directors(
    runs: Sequence[tuple[Sequence[str], Sequence[DirectorSplit]]],
) -> tuple[DirectorSummary, ...]:
    """The repeats together: each run's servers in the order of joining, and its splits."""
    known = dict.fromkeys(split.node for _, splits in runs for split in splits)
    most = max((len(servers) for servers, _ in runs), default=0)
    by_node = [(servers, {split.node: split for split in splits}) for servers, splits in runs]
    return tuple(
        DirectorSummary(
            node,
            {
                number: median_range(list(_of_server(by_node, node, number)))
                for number in range(1, most + 1)
            },
        )
        for node in known
    )


def _of_server(
    runs: Sequence[tuple[Sequence[str], Mapping[str, DirectorSplit]]], node: str, number: int
) -> Iterable[int]:
    for servers, splits in runs:
        if node in splits and len(servers) >= number:
            yield splits[node].connections.get(servers[number - 1], 0)


def _connections(
    run: RecordedRun, samples: Sequence[Sample], servers: Iterable[str]
) -> dict[str, int]:
    baseline: Mapping[str, int] = {}
    if any(run.baseline.values()):
        # It is known of all directors together only; each one's first sample is of before the load.
        baseline = {
            server.address: server.conns
            for service in samples[0].services
            for server in service.servers
        }
    counted = kernel_counts.count(samples, baseline).servers
    return {address: counted[address].connections for address in servers if address in counted}
