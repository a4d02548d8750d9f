"""How evenly active connections and work were spread over the servers, as means over time.

At each moment the figures are those of statistics/jain_index.py over the servers with weight; a
moment in which nothing was active, or in which one server only had weight, does not count. Active
connections are taken by weight: a server of weight 2 is to have twice as many. A sample holds
until the next one, but not through a hole in them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ipvsload.ipvs.table import growth
from ipvsload.record.format import OccupancySample
from ipvsload.results.sampling import HOLE_PERIODS
from ipvsload.results.weight_course import Reading, WeightCourse
from ipvsload.statistics.jain_index import greatest_over_mean, jain_index


@dataclass(frozen=True, slots=True)
class EvennessFigures:
    """Means over `seconds`: Jain's index (1/n to 1), and the greatest over the mean (1 to n)."""

    jain: float
    peak: float
    seconds: float


def of_active_connections(
    readings: Sequence[Reading], span: tuple[int, int], period_us: float | None
) -> EvennessFigures | None:
    """Of active connections by weight, within `span`; None where there was never any."""
    longest = HOLE_PERIODS * period_us if period_us else None
    moments = []
    for (t_us, table), (next_us, _) in pairwise(readings):
        end = next_us if longest is None else min(next_us, t_us + longest)
        took = min(end, span[1]) - max(t_us, span[0])
        if took > 0:
            by_weight = [one.active / one.weight for one in table.values() if one.weight]
            moments.append((took, by_weight))
    return _mean(moments)


def of_utilisation(
    samples: Sequence[OccupancySample], course: WeightCourse, span: tuple[int, int]
) -> EvennessFigures | None:
    """Of the growth of busy time from each sample to the next, within `span`."""
    moments = []
    places = course.places_at(np.array([sample.t_us for sample in samples], np.int64)).tolist()
    for (before, after), place in zip(pairwise(samples), places, strict=False):
        took = min(after.t_us, span[1]) - max(before.t_us, span[0])
        if took <= 0:
            continue
        spent = {one.address: one.busy_us for one in before.servers}
        if course.epochs:
            weights = course.epochs[place].weights
            spent = {address: us for address, us in spent.items() if weights.get(address)}
        grown: list[float] = [
            growth(spent[one.address], one.busy_us) for one in after.servers if one.address in spent
        ]
        moments.append((took, grown))
    return _mean(moments)


def _mean(moments: Iterable[tuple[float, Sequence[float]]]) -> EvennessFigures | None:
    jain = peak = seconds = 0.0
    for took, parts in moments:
        index, most = jain_index(parts), greatest_over_mean(parts)
        if len(parts) > 1 and index is not None and most is not None:
            jain += took * index
            peak += took * most
            seconds += took
    if not seconds:
        return None
    return EvennessFigures(jain / seconds, peak / seconds, seconds / 1e6)
