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
    busy_us: dict[str, list[_Reading]] = {}
    last: dict[str, int] = {}
    most: dict[str | None, tuple[int, int]] = {}

    def seen(key: str | None, busy: int, queued: int) -> None:
        most_busy, most_queued = most.get(key, (0, 0))
        most[key] = max(most_busy, busy), max(most_queued, queued)

    for sample in samples:
        mine = [server for server in sample.servers if server.address in since_us]
        for server in mine:
            address = server.address
            seen(address, server.busy, server.queued)
            # One that fell is of a server that began anew.
            curve = busy_us.setdefault(address, [])
            grown = growth(last.get(address, server.busy_us), server.busy_us)
            spent = (curve[-1].busy_us if curve else 0) + grown
            curve.append(_Reading(sample.t_us, spent, not server.busy))
            last[address] = server.busy_us
        if mine:
            seen(None, sum(s.busy for s in mine), sum(s.queued for s in mine))
    means = {a: _mean(curve, since_us[a], until_us, workers) for a, curve in busy_us.items()}
    known = [mean for mean in means.values() if mean is not None]
    figures: dict[str | None, OccupancyFigures] = {
        address: OccupancyFigures(*most[address], mean, _by(mean, workers))
        for address, mean in means.items()
    }
    if figures:
        together = sum(known) if known else None
        part = _by(together, workers and workers * len(known))
        figures[None] = OccupancyFigures(*most[None], together, part)
    return figures


class _Reading(NamedTuple):
    """A server's count of busy time at a time, and whether it was idle then."""

    t_us: int
    busy_us: int
    idle: bool


def _mean(
    curve: Sequence[_Reading], begin_us: int, end_us: int, workers: int | None
) -> float | None:
    """The mean of busy workers between two times, as far as they were read."""
    begin, end = max(begin_us, curve[0].t_us), min(end_us, curve[-1].t_us)
    if end <= begin:
        return None
    mean = (_at(curve, end, last=True) - _at(curve, begin, last=False)) / (end - begin)
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
