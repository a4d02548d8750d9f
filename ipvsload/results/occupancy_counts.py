"""How busy the real servers were in one run, out of what they said of themselves.

The mean comes from their own counters of busy time, so it is exact however rarely they
told; the greatest numbers are those that some sample saw.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ipvsload.ipvs.table import growth
from ipvsload.record.format import OccupancySample


@dataclass(frozen=True, slots=True)
class OccupancyFigures:
    """One server over a run, or all together.

    `busy_mean` is the mean number of busy workers, `utilisation` that by the number of
    workers, 0 to 1; each None where it is not known. `busy_max` and `queue_max` are the
    greatest numbers of busy workers and of waiting requests in any sample.
    """

    busy_max: int
    queue_max: int
    busy_mean: float | None
    utilisation: float | None


def occupancy_figures(
    samples: Iterable[OccupancySample],
    since_us: Mapping[str, int],
    until_us: int,
    workers: int | None,
) -> dict[str | None, OccupancyFigures]:
    """The figures of each server by its address, and under None those of all together.

    The mean is over the time from `since_us`, which says it for each server that joined,
    to `until_us`, as far as samples reach; others that tell something do not count.
    `workers` is what each server has, None where that is not known. Servers that said
    nothing have no figures.
    """
    told: dict[str, _Told] = {}
    all_busy = all_queued = 0
    for sample in samples:
        sum_busy = sum_queued = 0
        for address, busy, queued, _, _, busy_us in sample.servers:
            mine = told.get(address)
            if mine is None:
                if address not in since_us:
                    continue
                mine = told[address] = _Told(since_us[address], until_us, busy_us)
            mine.add(sample.t_us, busy, queued, busy_us)
            sum_busy += busy
            sum_queued += queued
        all_busy, all_queued = max(all_busy, sum_busy), max(all_queued, sum_queued)
    if not told:
        return {}
    means = {address: mine.mean(workers) for address, mine in told.items()}
    known = [mean for mean in means.values() if mean is not None]
    together = sum(known) if known else None
    part = _by(together, workers and workers * len(known))
    return {
        **{
            address: OccupancyFigures(
                mine.busy_max, mine.queue_max, means[address], _by(means[address], workers)
            )
            for address, mine in told.items()
        },
        None: OccupancyFigures(all_busy, all_queued, together, part),
    }


class _Reading(NamedTuple):
    """A server's count of busy time at a time, and whether it was idle then."""

    t_us: int
    busy_us: int
    idle: bool


class _Told:
    """What one server said between two times, of which only those readings are kept that count."""

    def __init__(self, begin_us: int, end_us: int, busy_us: int) -> None:
        self.busy_max = self.queue_max = 0
        self._begin_us, self._end_us = begin_us, end_us
        self._last, self._spent = busy_us, 0
        self._curve: list[_Reading] = []

    def add(self, t_us: int, busy: int, queued: int, busy_us: int) -> None:
        """One reading; one whose count fell is of a server that began anew."""
        if busy > self.busy_max:
            self.busy_max = busy
        if queued > self.queue_max:
            self.queue_max = queued
        self._spent += growth(self._last, busy_us)
        self._last = busy_us
        reading, curve = _Reading(t_us, self._spent, not busy), self._curve
        if len(curve) > 2 and curve[-2].t_us >= self._begin_us and t_us <= self._end_us:
            curve[-1] = reading  # between two that count none does
        else:
            curve.append(reading)

    def mean(self, workers: int | None) -> float | None:
        """The mean of busy workers, as far as there are readings."""
        curve = self._curve
        begin, end = max(self._begin_us, curve[0].t_us), min(self._end_us, curve[-1].t_us)
        if end <= begin:
            return None
        spent = _at(curve, end, last=True) - _at(curve, begin, last=False)
        mean = spent / (end - begin)
        return mean if workers is None else min(mean, workers)


def _at(curve: Sequence[_Reading], t_us: int, *, last: bool) -> float:
    """The count at a time within the readings, at which everything ended or began.

    Who is idle at the reading after the end did all since the one before it before the end;
    and who was idle at the one before the beginning, after that. Else it is in a straight line.
    """
    place = bisect_left(curve, t_us, key=lambda reading: reading.t_us)
    after, before = curve[place], curve[max(0, place - 1)]
    if after.t_us == t_us or (last and after.idle):
        return after.busy_us
    if not last and before.idle:
        return before.busy_us
    part = (t_us - before.t_us) / (after.t_us - before.t_us)
    return before.busy_us + (after.busy_us - before.busy_us) * part


def _by(mean: float | None, workers: int | None) -> float | None:
    return mean / workers if mean is not None and workers else None
