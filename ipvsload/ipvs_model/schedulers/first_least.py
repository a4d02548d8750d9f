"""The first of many places with the least key, found again after each change of one.

Only the places with the least keys stand in a heap, the front: those with others are not looked
at. A key that becomes less than the front's limit is put in at once; the entry of one that
has become more stays until it comes to the top, and is put right there. So a choice and its count
take one step of a small heap together, however many places there are.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush, heapreplace

_FRONT = 4
"""Of many places one in so many stands in the front, when it is made; of few all of them."""
_SAMPLE = 512
"""Of so many places the limit is estimated."""
_NO_LIMIT = 1 << 256


class FirstLeast:
    """Keys are whole numbers, by place from 0 on; a place that has none is never found."""

    def __init__(self, keys: Iterable[int | None]) -> None:
        found = list(keys)
        self._bits = len(found).bit_length()
        self._mask = (1 << self._bits) - 1
        # Key and place in one number: of equal keys the first place's is the least.
        self._now = [
            -1 if key is None else key << self._bits | place for place, key in enumerate(found)
        ]
        self._make_front()

    def first(self) -> int | None:
        """The first place with the least key; None where no place has one."""
        heap, now, mask = self._heap, self._now, self._mask
        while heap:
            entry = heap[0]
            place = entry & mask
            current = now[place]
            if entry == current:
                return place
            if entry != self._entered[place]:
                heappop(heap)
            elif current < self._limit:
                self._entered[place] = current
                heapreplace(heap, current)
            else:
                self._entered[place] = self._limit
                heappop(heap)
            if not heap:
                self._make_front()
                heap = self._heap
        return None

    def put(self, place: int, key: int) -> None:
        """The place, which had a key, has this one now."""
        entry = self._now[place] = key << self._bits | place
        if entry < self._entered[place]:
            self._entered[place] = entry
            heappush(self._heap, entry)
            if len(self._heap) > self._most:
                self._make_front()

    def _make_front(self) -> None:
        now = self._now
        sample = sorted(entry for entry in now[:: len(now) // _SAMPLE + 1] if entry >= 0)
        many = len(now) > _SAMPLE and sample
        self._limit = limit = sample[len(sample) // _FRONT] + 1 if many else _NO_LIMIT
        self._heap = [entry for entry in now if 0 <= entry < limit]
        heapify(self._heap)
        self._entered = [entry if entry < limit else limit for entry in now]
        """By place, the only entry of it in the heap that counts: the least, which is never more
        than it should be. The limit stands for none."""
        self._most = 3 * len(self._heap) + 64
