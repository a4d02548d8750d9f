"""Counts finished requests, in the process that made them.

Locust's own statistics do not know which real server answered, and cannot say
what came since the last time. This counts by label (a user class, or "GET /path"
for users that are not ours) and by real server, with latency in fixed buckets:
so the counts of many processes are added by adding numbers, and a worker's are a
small message. Pure: request_listener.py has Locust's side.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ipvsload.locust_plugin.live import TrafficInterval

VERSION = 3

# Forty a decade, the preferred numbers of ISO 3: steps of about six per cent between
# round numbers. Prometheus gets three of each decade: 1, 2 and 5.
_DECADE = (
    1.0, 1.06, 1.12, 1.18, 1.25, 1.32, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.12, 2.24, 2.36, 2.5,
    2.65, 2.8, 3.0, 3.15, 3.35, 3.55, 3.75, 4.0, 4.25, 4.5, 4.75, 5.0, 5.3, 5.6, 6.0, 6.3, 6.7,
    7.1, 7.5, 8.0, 8.5, 9.0, 9.5,
)  # fmt: skip
BOUNDS: tuple[float, ...] = (
    *(round(step * 10.0**power, 9) for power in range(-1, 5) for step in _DECADE),
    100_000.0,
)
"""Upper ends (inclusive) of the latency buckets, in ms; one more bucket is above all these."""

LABELS = 200
SERVERS = 1200
KINDS = 50
"""So many labels, and real servers and kinds of failure of a label, have counts of their own;
the rest is OTHER."""

OTHER = "other"

# The longest latency that is counted, in ms: eleven days. It keeps sums within 64 bits.
_LONGEST = 1e9


class Counts(TypedDict):
    """The requests of one label.

    `servers` has [good, failed] by real server, "" for an answer of which it
    is not known; `failures` counts the failed ones by kind, `retried` those that were
    sent again on a new connection; `buckets` is one longer than BOUNDS; `sum_us` adds
    the latencies of `buckets`, in microseconds.
    """

    servers: dict[str, list[int]]
    failures: dict[str, int]
    retried: int
    buckets: list[int]
    sum_us: int


class Delta(TypedDict):
    """What was counted since the last one, by label; msgpack and JSON can carry it."""

    version: int
    labels: dict[str, Counts]


class RequestCounter:
    """Counts of one process and, on a master, of its workers.

    The first LABELS labels and SERVERS servers have counts of their own; what
    comes later is counted under OTHER.
    """

    def __init__(self) -> None:
        self._before: dict[str, Counts] = {}
        self._since: dict[str, Counts] = {}

    def request(
        self,
        label: str,
        server: str | None,
        milliseconds: float | None,
        failure: str | None,
        retried: bool = False,
    ) -> None:
        """Count one finished request.

        Called for every request, so it is short. `milliseconds` is None where
        there is no latency; NaN and negative numbers are taken as None. `failure`
        is the kind of a failed one, such as "refused".
        """
        counts = self._since.get(label) or self._fresh(label)
        pair = counts["servers"].get(server or "") or self._pair(label, counts, server or "")
        if failure is None:
            pair[0] += 1
        else:
            pair[1] += 1
            self._failed(label, counts, failure, 1)
        if retried:
            counts["retried"] += 1
        if milliseconds is not None and 0.0 <= milliseconds < _LONGEST:
            counts["buckets"][bisect_left(BOUNDS, milliseconds)] += 1
            counts["sum_us"] += int(milliseconds * 1000.0)

    def take(self) -> Delta:
        """Return what came since the last `take`."""
        since, self._since = self._since, {}
        for label, counts in since.items():
            _add(self._before[label], counts)
        return {"version": VERSION, "labels": since}

    def add(self, delta: Any) -> None:
        """Count what a worker counted; the next `take` has it.

        Raises:
            ValueError: It is no `Delta` of this version; nothing of it was counted.
        """
        for label, theirs in _checked(delta).items():
            mine = self._since.get(label) or self._fresh(label)
            for server, (good, failed) in theirs["servers"].items():
                pair = mine["servers"].get(server) or self._pair(label, mine, server)
                pair[0] += good
                pair[1] += failed
            for kind, count in theirs["failures"].items():
                self._failed(label, mine, kind, count)
            _add_sums(mine, theirs)

    def totals(self) -> dict[str, Counts]:
        """Return a copy of all counts since the beginning, by label."""
        totals = {
            label: Counts(
                servers={server: pair.copy() for server, pair in counts["servers"].items()},
                failures=counts["failures"].copy(),
                retried=counts["retried"],
                buckets=counts["buckets"].copy(),
                sum_us=counts["sum_us"],
            )
            for label, counts in self._before.items()
        }
        for label, counts in self._since.items():
            _add(totals[label], counts)
        return totals

    def _fresh(self, label: str) -> Counts:
        """The counts of a label that has none since the last take."""
        label = _place(self._before, label, LABELS)
        self._before.setdefault(label, _nothing())
        return self._since.setdefault(label, _nothing())

    def _pair(self, label: str, counts: Counts, server: str) -> list[int]:
        """[good, failed] of a server that has none since the last take."""
        known = self._before[_place(self._before, label, LABELS)]["servers"]
        server = _place(known, server, SERVERS)
        known.setdefault(server, [0, 0])
        return counts["servers"].setdefault(server, [0, 0])

    def _failed(self, label: str, counts: Counts, kind: str, count: int) -> None:
        known = self._before[_place(self._before, label, LABELS)]["failures"]
        kind = _place(known, kind, KINDS)
        known.setdefault(kind, 0)
        counts["failures"][kind] = counts["failures"].get(kind, 0) + count


def intervals(delta: Delta, seconds: float) -> dict[str, TrafficInterval]:
    """Make rates and latencies, by label, of a delta that was gathered in so many seconds."""
    found = {}
    for label, counts in delta["labels"].items():
        pairs = counts["servers"]
        failed = sum(pair[1] for pair in pairs.values())
        split = {server: good + bad for server, (good, bad) in pairs.items()}
        found[label] = TrafficInterval(
            rate=sum(split.values()) / seconds,
            failures=failed / seconds,
            p50_ms=percentile(counts["buckets"], 0.50),
            p95_ms=percentile(counts["buckets"], 0.95),
            split=split,
            kinds=counts["failures"],
            retried=counts["retried"],
        )
    return found


def percentile(buckets: Sequence[int], share: float) -> float | None:
    """The latency in ms that this share of the counted ones does not exceed.

    Within a bucket, latencies are taken as evenly spread on a logarithmic scale,
    so the error is a bucket's width at most: six per cent. Above the highest
    bound the result is that bound. None if nothing was counted.
    """
    rank = share * sum(buckets)
    below = 0
    for index, count in enumerate(buckets):
        if count and below + count >= rank:
            return _within(index, (rank - below) / count)
        below += count
    return None


def _within(index: int, part: float) -> float:
    if index == len(BOUNDS):
        return BOUNDS[-1]
    if index == 0:
        return BOUNDS[0] * part
    low, high = BOUNDS[index - 1], BOUNDS[index]
    return float(low * (high / low) ** part)


def _nothing() -> Counts:
    return {
        "servers": {},
        "failures": {},
        "retried": 0,
        "buckets": [0] * (len(BOUNDS) + 1),
        "sum_us": 0,
    }


def _place(table: Mapping[str, object], key: str, limit: int) -> str:
    """Return `key`, or OTHER where the table has no room for one more."""
    return key if key in table or len(table) < limit else OTHER


def _add(counts: Counts, more: Counts) -> None:
    """Add `more` to `counts`; both are of one counter, so their keys are within its limits."""
    for server, (good, failed) in more["servers"].items():
        pair = counts["servers"].setdefault(server, [0, 0])
        pair[0] += good
        pair[1] += failed
    for kind, count in more["failures"].items():
        counts["failures"][kind] = counts["failures"].get(kind, 0) + count
    _add_sums(counts, more)


def _add_sums(counts: Counts, more: Counts) -> None:
    counts["retried"] += more["retried"]
    counts["buckets"] = [a + b for a, b in zip(counts["buckets"], more["buckets"], strict=True)]
    counts["sum_us"] += more["sum_us"]


def _checked(delta: Any) -> dict[str, Counts]:
    """Return the labels of a delta from another process, which may have another version."""
    version = delta.get("version") if isinstance(delta, dict) else None
    if version != VERSION:
        raise ValueError(
            f"counts of format {version!r} came from a worker, this process has {VERSION}:"
            " master and workers must run the same version of ipvsload"
        )
    labels = delta.get("labels")
    if not isinstance(labels, dict) or not all(map(_sound, labels, labels.values())):
        raise ValueError(
            "malformed counts came from a worker:"
            " master and workers must run the same version of ipvsload"
        )
    return labels


def _sound(label: Any, counts: Any) -> bool:
    match label, counts:
        case str(), {
            "servers": dict(servers),
            "failures": dict(failures),
            "retried": retried,
            "buckets": buckets,
            "sum_us": sum_us,
        }:
            return (
                all(isinstance(name, str) for name in (*servers, *failures))
                and _numbers([*failures.values()], len(failures))
                and all(_numbers(pair, 2) for pair in servers.values())
                and _numbers(buckets, len(BOUNDS) + 1)
                and _numbers([sum_us, retried], 2)
            )
    return False


def _numbers(found: Any, length: int) -> bool:
    return (
        isinstance(found, list)
        and len(found) == length
        and all(type(number) is int and number >= 0 for number in found)
    )
