"""Random numbers that everybody who has the same key draws alike.

Schedulers are compared under the same arrivals and the same work (common random
numbers), also where several workers each send a part of them. So a number has a place,
and can be had without those before it.
"""

from hashlib import shake_128
from struct import unpack

_BLOCK = 256


class RandomNumbers:
    """Independent numbers in (0, 1), uniformly distributed, by their place from 0 on.

    A key is any number of words; each key has numbers of its own. They are the bytes of
    SHAKE128 over the key and the number of the block, so they are the same on every
    machine and with every version of Python.
    """

    def __init__(self, *key: object) -> None:
        self._key = "/".join(map(str, key))
        self._block = -1
        self._numbers: list[float] = []

    def at(self, place: int) -> float:
        """The number at this place."""
        block, within = divmod(place, _BLOCK)
        if block != self._block:
            data = shake_128(f"{self._key}/{block}".encode()).digest(8 * _BLOCK)
            # 52 bits and a half: neither 0 nor 1, of which some distributions have no value.
            self._numbers = [((n >> 12) + 0.5) / (1 << 52) for n in unpack(f"<{_BLOCK}Q", data)]
            self._block = block
        return self._numbers[within]
