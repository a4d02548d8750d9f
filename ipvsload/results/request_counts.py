"""What the generator saw in one run: requests counted by class and server.

It is made in one pass over the requests; all that results say of traffic is
looked up in it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.format import NO_SERVER
from ipvsload.record.request_table import NOT_KNOWN, RequestColumns, RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.record.values_by_group import ValuesByGroup
from ipvsload.results.queue_times import LatencyParts

_COUNTED = ("traffic", "server", "reused", "retried", "error", "status", "port", "planned_us",
            "latency_us")  # fmt: skip
_Key = tuple[str, str | None]
"""A class and a server."""


class RequestCounts:
    """Exact counts and latencies of one run's requests.

    `traffic` is a class's name and `server` an address:port; None means all.
    Latencies are those of answered requests, in µs from the planned start: a
    refusal is quick, and with it a broken server would look fast.
    """

    def __init__(self, requests: RequestTable) -> None:
        self.errors: dict[str, Counter[str]] = {}
        self.retried: Counter[str] = Counter()
        """Requests that were sent a second time, by class."""
        self.opened: Counter[str | None] = Counter()
        """New connections by server; under None those that failed before it was known."""
        self._requests = requests
        self._texts = requests.texts
        self._count: Counter[_Key] = Counter()
        self._failed: Counter[_Key] = Counter()
        self._failed_by: Counter[tuple[str, str | None, str]] = Counter()
        self._unconnected: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        for block in requests.blocks(*_COUNTED):
            self._count_rows(block)
            self._note_times(block)
        answered = self._count - self._failed
        self._latency = ValuesByGroup(lambda: self._answered("latency_us"), answered)
        self._queue = ValuesByGroup(lambda: self._answered("queue_us"), answered)
        self.parts_ms = self._parts() if self._queue.groups else {}
        """What latencies consist of, by class, where servers say how long requests waited."""
        self.unknown: Counter[str] = Counter()
        """Answered requests whose server is not known, by class."""
        for (name, server), n in self._count.items():
            if not server and n > self._failed[name, server]:
                self.unknown[name] += n - self._failed[name, server]
        self.nowhere: Counter[str] = Counter()
        """Failed requests that are in no server's count, by class."""
        for (name, server), n in self._failed.items():
            if not server:
                self.nowhere[name] += n
        self.given_to_none = {
            name: n for (name, server), n in self._failed.items() if server == NO_SERVER
        }
        """Those of them for which the director was asked and had no server."""
        self.not_asked = {
            name: n - self._unconnected[name]
            for (name, server), n in self._failed.items()
            if server is None and n > self._unconnected[name]
        }
        """Those of them that had a connection, for which the director was not asked."""

    def _count_rows(self, block: RequestColumns) -> None:
        failed, texts = block.failed, self._texts
        alike = row_groups(
            block.traffic, block.server, block.reused, block.retried, block.error,
            np.where(failed, block.status, 0), failed, block.port == 0,
        )  # fmt: skip
        for (traffic, at, reused, retried, error, status, has_failed, without_port), rows in alike:
            name, server, n = texts[traffic] or "", texts[at], len(rows)
            self._count[name, server] += n
            if not reused:
                self.opened[server or None] += n
            if retried:
                self.retried[name] += retried * n
            if has_failed:
                self._failed[name, server] += n
                if without_port:
                    self._unconnected[name] += n
                cause = texts[error] or f"status {status}"
                self.errors.setdefault(name, Counter())[cause] += n
                self._failed_by[name, server, cause] += n

    def _note_times(self, block: RequestColumns) -> None:
        end_us = block.end_us
        for (traffic,), rows in row_groups(block.traffic):
            name = self._texts[traffic] or ""
            first, last = int(block.planned_us[rows].min()), int(end_us[rows].max())
            self._first[name] = min(first, self._first.get(name, first))
            self._last[name] = max(last, self._last.get(name, last))

    def _answered(self, column: str) -> Iterator[tuple[_Key, NDArray[Any]]]:
        """What is known of it of answered requests, by class and server."""
        for block in self._requests.blocks("traffic", "server", "error", "status", column):
            known = block.where(~block.failed & (getattr(block, column) != NOT_KNOWN))
            for (traffic, at), rows in row_groups(known.traffic, known.server):
                yield (self._texts[traffic] or "", self._texts[at]), getattr(known, column)[rows]

    def _parts(self) -> dict[str, dict[str, dict[str, float]]]:
        found: dict[str, LatencyParts] = {}
        columns = ("traffic", "error", "status", "planned_us", "start_us", "latency_us", "queue_us",
                   "retried")  # fmt: skip
        for block in self._requests.blocks(*columns):
            told = block.where(~block.failed & (block.queue_us != NOT_KNOWN))
            # Of one that was sent twice the first start is not recorded.
            late = np.where(told.retried, 0, told.start_us - told.planned_us)
            for (traffic,), rows in row_groups(told.traffic):
                name = self._texts[traffic] or ""
                if name not in found:
                    found[name] = LatencyParts(self._sum(self._count, name, None))
                found[name].add(told.latency_us[rows], told.queue_us[rows], late[rows])
        return {name: parts.ms() for name, parts in found.items()}

    @property
    def classes(self) -> list[str]:
        """Those of which there are requests, by name."""
        return sorted(self._first)

    def requests(self, traffic: str | None = None, server: str | None = None) -> int | None:
        """Finished requests; None where the server is not known of all answered ones."""
        if server is not None and self._blind(traffic):
            return None
        return self._sum(self._count, traffic, server)

    def failures(
        self, traffic: str | None = None, server: str | None = None, kind: str | None = None
    ) -> int:
        """Requests without a whole answer or with a status of 400 and more; those of a kind."""
        if kind is None:
            return self._sum(self._failed, traffic, server)
        of_kind = Counter(
            {(name, at): n for (name, at, cause), n in self._failed_by.items() if cause == kind}
        )
        return self._sum(of_kind, traffic, server)

    def retries(self, traffic: str | None = None) -> int:
        """How often a request was sent a second time."""
        return self.retried[traffic] if traffic is not None else self.retried.total()

    def share(self, traffic: str | None, server: str | None) -> float | None:
        """The part (0 to 1) of all finished requests, failed ones too, that went to this server.

        None without requests, and where the server is not known of all answered ones.
        """
        if self._blind(traffic):
            return None
        whole = self._sum(self._count, traffic, None)
        return self._sum(self._count, traffic, server) / whole if whole else None

    def latencies(self, traffic: str | None = None, server: str | None = None) -> Sequence[int]:
        """Latencies of answered requests in µs, ascending."""
        return _ordered(self._latency, traffic, server)

    def queue_times(self, traffic: str | None = None, server: str | None = None) -> Sequence[int]:
        """Times in the server's queue in µs, ascending, of answered requests that say them."""
        return _ordered(self._queue, traffic, server)

    def seconds(self, traffic: str | None = None) -> float:
        """From the first planned start to the last end of the class's requests."""
        first = [t for name, t in self._first.items() if traffic in (None, name)]
        last = [t for name, t in self._last.items() if traffic in (None, name)]
        return (max(last) - min(first)) / 1e6 if first else 0.0

    def rps(self, traffic: str | None = None, server: str | None = None) -> float | None:
        """Finished requests per second of `seconds`; None where no time passed."""
        seconds, requests = self.seconds(traffic), self.requests(traffic, server)
        return requests / seconds if seconds > 0 and requests is not None else None

    @property
    def last_us(self) -> int | None:
        """When the last request ended."""
        return max(self._last.values(), default=None)

    def _blind(self, traffic: str | None) -> bool:
        return any(traffic in (None, name) for name in self.unknown)

    @staticmethod
    def _sum(counts: Counter[_Key], traffic: str | None, server: str | None) -> int:
        if traffic is not None and server is not None:
            return counts[traffic, server]
        return sum(
            n
            for (name, where), n in counts.items()
            if traffic in (None, name) and server in (None, where)
        )


def _ordered(values: ValuesByGroup[_Key], traffic: str | None, server: str | None) -> Sequence[int]:
    if traffic is not None and server is not None:
        return values.of((traffic, server))
    return values.together(lambda key: traffic in (None, key[0]) and server in (None, key[1]))
