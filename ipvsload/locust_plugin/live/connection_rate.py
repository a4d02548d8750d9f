"""New connections a second, out of a counter that the kernel refreshes every two.

The kernel changes `conns` of a real server once in REFRESH_US (net/netfilter/
ipvs/ip_vs_est.c), so the difference of two samples is mostly zero, and then
twenty times too large. What one change brings is spread evenly over the time in
which it came: since the last change, or, if the counter did not change for
longer, since the last refresh that can have found nothing. The spread counts
add up to what the kernel counted. The price is that the rate at a time is known
only when the next refresh has come, DELAY_US later.
"""

from collections.abc import Iterator

REFRESH_US = 2_000_000
SLOT_US = 500_000
# One refresh, and how late the sample may be that finds it.
DELAY_US = REFRESH_US + 200_000
_MOST_LATE_US = 3_000_000
# A longer pause in the samples stays a gap.
_PAUSE_SLOTS = 120

Count = tuple[float, float]
"""Connections, and the seconds in which they came."""


class ConnectionRate:
    """Counts by slots of half a second; a slot that may still grow is not handed out yet."""

    def __init__(self, began_us: int) -> None:
        self._began = began_us
        self._next = 0
        self._open: dict[int, dict[int, float]] = {}
        self._last_us = began_us

    def add(self, ident: int, count: int, after_us: int, until_us: int) -> None:
        """Add `count` connections to a server that came after one time and until the other."""
        start = max(after_us - self._began, self._next * SLOT_US)
        end = until_us - self._began
        if start >= end:  # later than expected: into the oldest slot that is left
            self._add_to_slot(self._next, ident, count)
            return
        each = count / (end - start)
        while start < end:
            slot = start // SLOT_US
            until = min(end, (slot + 1) * SLOT_US)
            self._add_to_slot(slot, ident, each * (until - start))
            start = until

    def finished_slots(self, now_us: int) -> Iterator[tuple[int, dict[int, float]]]:
        """Return the slots that cannot grow after this sample, as (middle in µs, counts)."""
        late = min(2 * (now_us - self._last_us), _MOST_LATE_US)
        self._last_us = max(self._last_us, now_us)
        until = (now_us - self._began - max(DELAY_US, REFRESH_US + late)) // SLOT_US
        if until - self._next > _PAUSE_SLOTS:
            self._next = until - _PAUSE_SLOTS
            self._open = {slot: v for slot, v in self._open.items() if slot >= self._next}
        while self._next < until:
            counts = self._open.pop(self._next, {})
            yield self._began + self._next * SLOT_US + SLOT_US // 2, counts
            self._next += 1

    def _add_to_slot(self, slot: int, ident: int, count: float) -> None:
        counts = self._open.setdefault(slot, {})
        counts[ident] = counts.get(ident, 0.0) + count


def merge(one: Count, other: Count) -> Count:
    """Make one count of two."""
    return one[0] + other[0], one[1] + other[1]


def to_json(cell: Count) -> str:
    """Write connections a second as JSON."""
    return f"{cell[0] / cell[1]:.1f}"
