"""Times counted in fixed buckets, so that those of many processes add up by adding numbers.

Pure. The buckets' bounds never change: a master and its workers share them, and what
Prometheus adds over instances has the same ones.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypedDict

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

# The longest latency that is counted, in ms: eleven days. It keeps sums within 64 bits.
LONGEST_MS = 1e9


class Times(TypedDict):
    """Times in buckets; `buckets` is one longer than BOUNDS, `sum_us` adds them, in µs."""

    buckets: list[int]
    sum_us: int


def no_times() -> Times:
    """Nothing counted yet."""
    return {"buckets": [0] * (len(BOUNDS) + 1), "sum_us": 0}


def copied(times: Times) -> Times:
    """A copy that can be changed."""
    return {"buckets": times["buckets"].copy(), "sum_us": times["sum_us"]}


def count_us(times: Times, us: int) -> None:
    """Count one time in µs."""
    us = min(max(us, 0), int(LONGEST_MS * 1000))
    times["buckets"][bisect_left(BOUNDS, us / 1000)] += 1
    times["sum_us"] += us


def count_all_us(times: Times, all_us: Sequence[int]) -> None:
    """Count times in µs, none of which is below zero; what is too long is not counted."""
    if max(all_us) >= LONGEST_MS * 1000:
        all_us = [us for us in all_us if us < LONGEST_MS * 1000]
    buckets = times["buckets"]
    for place, count in Counter(map(_bucket_of, all_us)).items():
        buckets[place] += count
    times["sum_us"] += sum(all_us)


@lru_cache(1 << 14)
def _bucket_of(us: int) -> int:
    return bisect_left(BOUNDS, us / 1000)


def add_times(times: Times, more: Times) -> None:
    """Add `more` to `times`."""
    if any(more["buckets"]):
        pairs = zip(times["buckets"], more["buckets"], strict=True)
        times["buckets"] = [a + b for a, b in pairs]
        times["sum_us"] += more["sum_us"]


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


def sound_times(times: Any) -> bool:
    """Whether this is a `Times`."""
    match times:
        case {"buckets": buckets, "sum_us": sum_us}:
            return whole_numbers(buckets, len(BOUNDS) + 1) and whole_numbers([sum_us], 1)
    return False


def whole_numbers(found: Any, length: int) -> bool:
    """Whether this is a list of so many numbers that are 0 or more."""
    return (
        isinstance(found, list)
        and len(found) == length
        and all(type(number) is int and number >= 0 for number in found)
    )
