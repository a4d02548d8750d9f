"""A simulation's counts and histograms as expectations and results ask for them.

It says of a run what `results/request_counts.py` says out of a record. Times are ns inside and
µs outside.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
from types import MappingProxyType
from typing import overload

from ipvsload.simulate.connection_stream import ClassFigures
from ipvsload.simulate.latency_histogram import LatencyHistogram

OVERFLOWED, WITHOUT_SERVER = "status 503", "refused"
"""What a record calls the failures that a summary can have."""


class OrderedTimes(Sequence[int]):
    """The times of a histogram in ascending order, in µs, as if each had been kept."""

    def __init__(self, histogram: LatencyHistogram) -> None:
        self._histogram = histogram

    def __len__(self) -> int:
        return self._histogram.count

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> list[int]: ...
    def __getitem__(self, place: int | slice) -> int | list[int]:
        """The time at this place."""
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        rank = place + 1 if place >= 0 else len(self) + place + 1
        if not 0 < rank <= len(self):
            raise IndexError(place)
        return round(self._histogram.at_rank(rank) / 1000)

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(
            repeat(round(time_ns / 1000), many) for time_ns, many in self._histogram.buckets()
        )


class SummarizedCounts:
    """`figures` by class; `servers` are the addresses in the order of joining.

    `seconds` has for each class how long it took.
    """

    unknown: Mapping[str, int] = MappingProxyType({})

    def __init__(
        self,
        figures: Mapping[str, ClassFigures],
        servers: Sequence[str],
        seconds: Mapping[str, float],
    ) -> None:
        self._figures = figures
        self._numbers = {address: number for number, address in enumerate(servers)}
        self._seconds = seconds

    def requests(self, traffic: str | None, server: str | None) -> int:
        """Finished requests, failed ones too."""
        answered = sum(
            int(one.by_server.sum() if server is None else one.by_server[self._numbers[server]])
            for one in self._of(traffic)
        )
        return answered + self.failures(traffic, server)

    def failures(self, traffic: str | None, server: str | None, kind: str | None = None) -> int:
        """Those that found a queue full, or no server; in the words of a record's failures."""
        found = 0
        for one in self._of(traffic):
            if kind in (None, OVERFLOWED):
                at = one.overflowed if server is None else one.overflowed[self._numbers[server]]
                found += int(at.sum())
            if server is None and kind in (None, WITHOUT_SERVER):
                found += one.without_server
        return found

    def retries(self, _traffic: str | None) -> int:
        """None: each connection has one request."""
        return 0

    def share(self, traffic: str | None, server: str | None) -> float | None:
        """The server's part, 0 to 1, of all finished requests."""
        whole = self.requests(traffic, None)
        return self.requests(traffic, server) / whole if whole else None

    def rps(self, traffic: str | None, server: str | None) -> float | None:
        """Finished requests per second of their class's time."""
        seconds = max(
            (took for name, took in self._seconds.items() if traffic in (None, name)), default=0.0
        )
        return self.requests(traffic, server) / seconds if seconds else None

    def latencies(self, traffic: str | None, server: str | None) -> Sequence[int]:
        """Of all answered requests of the class; those of one server are not kept."""
        return self._times([one.latency for one in self._of(traffic)])

    def queue_times(self, traffic: str | None, server: str | None) -> Sequence[int]:
        """The same of the time in a server's queue."""
        return self._times([one.queue for one in self._of(traffic)])

    def _of(self, traffic: str | None) -> list[ClassFigures]:
        return [one for name, one in self._figures.items() if traffic in (None, name)]

    def _times(self, found: Sequence[LatencyHistogram]) -> Sequence[int]:
        if len(found) == 1:
            return OrderedTimes(found[0])
        together = LatencyHistogram()
        for one in found:
            together.merge(one)
        return OrderedTimes(together)
