"""New connections a second, out of a counter that the kernel refreshes every two.

`conns` of a real server jumps once in REFRESH_US (net/netfilter/ipvs/
ip_vs_est.c), so its difference between two samples is nothing, nothing,
nothing, and then twenty times too much. What a jump brings is spread evenly
over the time in which it came: since the last jump, or, if the counter stood
still, since the last refresh that can have found nothing. Sums are kept:
what is spread adds up to what the kernel counted. The price is that a moment
is known only when the next refresh has come, DELAY_US later.
"""

from collections.abc import Iterator

REFRESH_US = 2_000_000
SLOT_US = 500_000
# One refresh, and what a sample that found it may be late by.
DELAY_US = REFRESH_US + 200_000
_MOST_LATE_US = 3_000_000
# A pause in the samples that is longer than this is not filled.
_PAUSE_SLOTS = 120

Count = tuple[float, float]
"""Connections, and the seconds in which they came."""


class ConnectionRate:
    """Slots of half a second, of which those that may still grow are held back."""

    def __init__(self, began_us: int) -> None:
        self._began = began_us
        self._next = 0
        self._open: dict[int, dict[int, float]] = {}
        self._last_us = began_us

    def came(self, ident: int, count: int, after_us: int, until_us: int) -> None:
        """`count` connections to a server came after one time, and not after the other."""
        start = max(after_us - self._began, self._next * SLOT_US)
        end = until_us - self._began
        if start >= end:  # later than expected: into the oldest that is open
            self._add(self._next, ident, count)
            return
        each = count / (end - start)
        while start < end:
            slot = start // SLOT_US
            until = min(end, (slot + 1) * SLOT_US)
            self._add(slot, ident, each * (until - start))
            start = until

    def closed(self, now_us: int) -> Iterator[tuple[int, dict[int, float]]]:
        """The slots that nothing is added to any more, as of a sample: (middle in µs, counts)."""
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

    def _add(self, slot: int, ident: int, count: float) -> None:
        counts = self._open.setdefault(slot, {})
        counts[ident] = counts.get(ident, 0.0) + count


def merge(one: Count, other: Count) -> Count:
    """Both together."""
    return one[0] + other[0], one[1] + other[1]


def show(cell: Count) -> str:
    """Connections a second, as JSON."""
    return f"{cell[0] / cell[1]:.1f}"
