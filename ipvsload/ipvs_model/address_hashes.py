"""The kernel's hashes of addresses and ports, with the keys that its schedulers give them.

The keys are constants (ip_vs_mh.c, generate_hash_secret), so a client has the same hash on each
director and after each start. hsiphash is SipHash-1-3 cut to 32 bits on kernels of 64 bits
(lib/siphash.c); those of 32 bits have another one, and are not followed.

No library does this: those that are kept want bytes and a call each; here it is one word, and a
table of ten thousand servers.
"""

from functools import lru_cache
from ipaddress import ip_address

_32, _64 = (1 << 32) - 1, (1 << 64) - 1
_GOLDEN_RATIO = 0x61C88647  # include/linux/hash.h
_WORDS = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)

Key = tuple[int, int]


@lru_cache(maxsize=1 << 16)
def folded(address: str) -> int:
    """An address as one number of 32 bits; IPv6 is the exclusive or of its four words."""
    whole = int(ip_address(address))
    return (whole ^ whole >> 32 ^ whole >> 64 ^ whole >> 96) & _32


def hash_32(value: int, bits: int) -> int:
    """`bits` bits of a number (include/linux/hash.h)."""
    return (value * _GOLDEN_RATIO & _32) >> 32 - bits


def hsiphash(value: int, key: Key) -> int:
    """32 bits of a number of 32 bits (lib/siphash.c, hsiphash_1u32)."""
    block = 4 << 56 | value & _32
    a, b, c, d = (
        word ^ half for word, half in zip(_WORDS, (key[0], key[1], key[0], key[1]), strict=True)
    )
    d ^= block
    for turn in range(4):
        a = a + b & _64
        b = (b << 13 | b >> 51) & _64 ^ a
        a = (a << 32 | a >> 32) & _64
        c = c + d & _64
        d = (d << 16 | d >> 48) & _64 ^ c
        a = a + d & _64
        d = (d << 21 | d >> 43) & _64 ^ a
        c = c + b & _64
        b = (b << 17 | b >> 47) & _64 ^ c
        c = (c << 32 | c >> 32) & _64
        if not turn:
            a ^= block
            c ^= 0xFF
    return (a ^ b ^ c ^ d) & _32
