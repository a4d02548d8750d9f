"""/proc/net/ip_vs_conn, read from its beginning to its end, a slice at a time.

Before Linux 6.17 that is slow where the table is large: each read gives a page of some fifty
lines, and for each the kernel goes through the table again, up to where the page begins
(net/netfilter/ipvs/ip_vs_conn.c, ip_vs_conn_array). So the time grows with the square of the
number of connections, and with the size of the hash table.
"""

import os
import time
from contextlib import AbstractContextManager

from ipvsload.ipvs.decode import TableRows
from ipvsload.sidecar.kernel_files import text_of

_PIECE = 1 << 16
_BUCKETS = "/sys/module/ip_vs/parameters/conn_tab_bits"
_DEFAULT_BITS = 12
_LARGE, _LARGE_WALK = 20_000, 1 << 30


class ConnectionList:
    """The list in the network namespace that `inside` enters.

    Of the reading under way, or of the last one: `entries` so far, `begun` in ns of
    CLOCK_MONOTONIC, and the seconds that whoever reads has `spent` on it.
    """

    def __init__(self, path: str, inside: AbstractContextManager[object]) -> None:
        self._path, self._inside = path, inside
        self._file = -1
        self._rest = b""
        self.entries = self.begun = 0
        self.spent = 0.0

    def read(self, until: float) -> tuple[bytes, bool]:
        """Whole lines, each with the end of the one before; and whether these were the last.

        Reads one piece at least, and others until that time of the monotonic clock. Then it
        begins anew. Raises OSError.
        """
        if self._file < 0:
            self._begin()
        pieces, ended = [self._rest], False
        while not ended and (len(pieces) == 1 or time.monotonic() < until):
            pieces.append(os.read(self._file, _PIECE))
            ended = not pieces[-1]
        data = b"".join(pieces)
        end = max(data.rfind(b"\n"), 0)
        data, self._rest = data[:end], data[end:]
        self.entries += data.count(b"\n")  # the heading has none before it
        if ended:
            self.close()
        return data, ended

    @property
    def under_way(self) -> bool:
        """Whether a reading has begun and not ended."""
        return self._file >= 0

    def close(self) -> None:
        """Give the reading up."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _begin(self) -> None:
        with self._inside:
            self._file = os.open(self._path, os.O_RDONLY)
        self.begun, self.entries, self._rest = time.monotonic_ns(), 0, b""
        self.spent = 0.0


def looks_large(table: TableRows) -> bool:
    """Whether so many connections may be too many to be read."""
    servers = (row for _, batches in table for _, rows in batches for row in rows)
    entries: int = sum(row[3] + row[4] for row in servers)
    bits = text_of(_BUCKETS).strip()
    buckets = 1 << (int(bits) if bits.isdecimal() else _DEFAULT_BITS)
    return entries > _LARGE or entries * buckets > _LARGE_WALK
