"""What the generator saw in one run: requests counted by class and server.

It is made in one pass over the requests; all that results say of traffic is
looked up in it.
"""

from collections import Counter
from collections.abc import Iterable

from ipvsload.record.format import NO_SERVER, Request
from ipvsload.results.queue_times import QueuedRequest


class RequestCounts:
    """Exact counts and latencies of one run's requests.

    `traffic` is a class's name and `server` an address:port; None means all.
    Latencies are those of answered requests, in µs from the planned start: a
    refusal is quick, and with it a broken server would look fast.
    """

    def __init__(self, requests: Iterable[Request]) -> None:
        self.errors: dict[str, Counter[str]] = {}
        self.retried: Counter[str] = Counter()
        """Requests that were sent a second time, by class."""
        self._count: Counter[tuple[str, str | None]] = Counter()
        self._failed: Counter[tuple[str, str | None]] = Counter()
        self._failed_by: Counter[tuple[str, str | None, str]] = Counter()
        self._unconnected: Counter[str] = Counter()
        self._latency: dict[tuple[str, str | None], list[int]] = {}
        self._queued: dict[tuple[str, str | None], list[QueuedRequest]] = {}
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self.opened: Counter[str | None] = Counter()
        """New connections by server; under None those that failed before it was known."""
        for r in requests:
            key = (r.traffic, r.server)
            self._count[key] += 1
            if not r.reused:
                self.opened[r.server or None] += 1
            if r.retried:
                self.retried[r.traffic] += r.retried
            if r.error is not None or r.status >= 400:
                self._failed[key] += 1
                if not r.port:
                    self._unconnected[r.traffic] += 1
                cause = r.error or f"status {r.status}"
                self.errors.setdefault(r.traffic, Counter())[cause] += 1
                self._failed_by[r.traffic, r.server, cause] += 1
            else:
                self._latency.setdefault(key, []).append(r.latency_us)
                if r.queue_us is not None:
                    # Of one that was sent twice the first start is not recorded.
                    late = 0 if r.retried else r.start_us - r.planned_us
                    queued = QueuedRequest(r.latency_us, r.queue_us, late)
                    self._queued.setdefault(key, []).append(queued)
            done = r.planned_us + r.latency_us
            if done > self._last.get(r.traffic, -1):
                self._last[r.traffic] = done
            if r.planned_us < self._first.get(r.traffic, done + 1):
                self._first[r.traffic] = r.planned_us
        self.unknown: Counter[str] = Counter()
        """Answered requests whose server is not known, by class."""
        for (name, server), latency in self._latency.items():
            if not server:
                self.unknown[name] += len(latency)
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
        self._ordered: dict[tuple[str | None, str | None], list[int]] = {}

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

    def latencies(self, traffic: str | None = None, server: str | None = None) -> list[int]:
        """Latencies of answered requests in µs, ascending; not to be changed."""
        key = (traffic, server)
        if traffic is not None and server is not None:
            return sorted(self._latency.get((traffic, server), ()))
        if key not in self._ordered:
            self._ordered[key] = sorted(
                latency
                for (name, where), values in self._latency.items()
                if traffic in (None, name) and server in (None, where)
                for latency in values
            )
        return self._ordered[key]

    def queued(self, traffic: str | None = None, server: str | None = None) -> list[QueuedRequest]:
        """The answered requests whose server said how long they waited there."""
        return [
            one
            for (name, where), found in self._queued.items()
            if traffic in (None, name) and server in (None, where)
            for one in found
        ]

    def queue_times(self, traffic: str | None = None, server: str | None = None) -> list[int]:
        """Times in the server's queue in µs, ascending, of `queued`."""
        return sorted(one.queue_us for one in self.queued(traffic, server))

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
    def _sum(
        counts: Counter[tuple[str, str | None]], traffic: str | None, server: str | None
    ) -> int:
        if traffic is not None and server is not None:
            return counts[traffic, server]
        return sum(
            n
            for (name, where), n in counts.items()
            if traffic in (None, name) and server in (None, where)
        )
