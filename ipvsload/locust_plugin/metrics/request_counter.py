"""Counts finished requests, in the process that made them.

Locust's own statistics do not know which real server answered, and cannot say
what came since the last time. This counts by label (a user class, or "GET /path"
for users that are not ours) and by real server, with latency in fixed buckets:
so the counts of many processes are added by adding numbers, and a worker's are a
small message. Pure: request_listener.py has Locust's side.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from ipvsload.locust_plugin.live import TrafficInterval
from ipvsload.locust_plugin.metrics.time_buckets import (
    BOUNDS,
    LONGEST_MS,
    Times,
    add_times,
    copied,
    count_all_us,
    count_us,
    no_times,
    percentile,
    sound_times,
    whole_numbers,
)

VERSION = 4

LABELS = 200
SERVERS = 1200
KINDS = 50
"""So many labels, and real servers and kinds of failure of a label, have counts of their own;
the rest is OTHER."""

OTHER = "other"

_TIMES: tuple[Literal["duration", "queue", "lateness"], ...] = ("duration", "queue", "lateness")


class Counts(TypedDict):
    """The requests of one label.

    `servers` has [good, failed] by real server, "" for an answer of which it
    is not known; `failures` counts the failed ones by kind, `retried` those that were
    sent again on a new connection. `duration` has their latencies, `queue` how long
    answered ones waited at their server for a worker, as far as servers say it, and
    `lateness` how late those of an open workload were sent.
    """

    servers: dict[str, list[int]]
    failures: dict[str, int]
    retried: int
    duration: Times
    queue: Times
    lateness: Times


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
        queue_us: int | None = None,
        late_us: int | None = None,
    ) -> None:
        """Count one finished request.

        Called for every request, so it is short. `milliseconds` is None where
        there is no latency; NaN and negative numbers are taken as None. `failure`
        is the kind of a failed one, such as "refused". `queue_us` is the time in its
        server's queue, and `late_us` how late it was sent; None where that is not known.
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
        if milliseconds is not None and 0.0 <= milliseconds < LONGEST_MS:
            duration = counts["duration"]
            duration["buckets"][bisect_left(BOUNDS, milliseconds)] += 1
            duration["sum_us"] += int(milliseconds * 1000.0)
        if queue_us is not None and failure is None:
            count_us(counts["queue"], queue_us)
        if late_us is not None:
            count_us(counts["lateness"], late_us)

    def answered(self, label: str, server: str | None, latencies_us: Sequence[int]) -> None:
        """Count requests that were answered well by one server; nothing more is known of them."""
        counts = self._since.get(label) or self._fresh(label)
        pair = counts["servers"].get(server or "") or self._pair(label, counts, server or "")
        pair[0] += len(latencies_us)
        count_all_us(counts["duration"], latencies_us)

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
                duration=copied(counts["duration"]),
                queue=copied(counts["queue"]),
                lateness=copied(counts["lateness"]),
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
            p50_ms=percentile(counts["duration"]["buckets"], 0.50),
            p95_ms=percentile(counts["duration"]["buckets"], 0.95),
            split=split,
            kinds=counts["failures"],
            retried=counts["retried"],
            queue_p50_ms=percentile(counts["queue"]["buckets"], 0.50),
            queue_p95_ms=percentile(counts["queue"]["buckets"], 0.95),
        )
    return found


def _nothing() -> Counts:
    return {
        "servers": {},
        "failures": {},
        "retried": 0,
        "duration": no_times(),
        "queue": no_times(),
        "lateness": no_times(),
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
    for name in _TIMES:
        add_times(counts[name], more[name])


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
            "duration": duration,
            "queue": queue,
            "lateness": lateness,
        }:
            return (
                all(isinstance(name, str) for name in (*servers, *failures))
                and whole_numbers([*failures.values()], len(failures))
                and all(whole_numbers(pair, 2) for pair in servers.values())
                and whole_numbers([retried], 1)
                and all(map(sound_times, (duration, queue, lateness)))
            )
    return False
