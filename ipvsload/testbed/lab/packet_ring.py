"""A packet socket whose packets the kernel writes into memory that we read: a ring of blocks.

So seeing a packet costs no system call and no wake-up; a block has nearly a thousand
of them (Documentation/networking/packet_mmap.rst, TPACKET_V3).
"""

import ctypes
import mmap
import struct
from _socket import SOL_SOCKET
from _socket import socket as _Socket  # noqa: N812
from collections.abc import Iterator
from typing import NamedTuple

from ipvsload.testbed.lab.packet_filter import NOTHING

BLOCK = 1 << 17
"""Bytes of a block."""
BLOCKS = 64
"""Together they hold some seconds at any rate that a lab can have."""
_FRAME = 2048  # TPACKET_V3 wants a number, and puts packets closely all the same
_RETIRE_MS = 250
"""A block that is not full is ours after so long, so that these are some seconds, too."""

# include/uapi/linux/if_packet.h and asm-generic/socket.h
_SOL_PACKET = 263
_RX_RING, _STATISTICS, _VERSION = 5, 6, 10
_TPACKET_V3 = 2
_ALL_PROTOCOLS = 0x0003  # ETH_P_ALL
_ATTACH_FILTER = 26
_REQUEST = struct.Struct("=7I")  # struct tpacket_req3
_STATISTICS_V3 = struct.Struct("=3I")  # packets, drops, freezes
_STATUS_AT, _COUNT_AT = 8, 12
_OURS = 1  # TP_STATUS_USER
_BLOCK_HEAD = struct.Struct("=3I")  # status, packets, where the first one begins


class RingBlock(NamedTuple):
    """Some packets in a row: `packets` of them in `memory`, the first one at `first`."""

    memory: memoryview
    first: int
    packets: int


class PacketRing:
    """The ring of a packet socket at the network link `link`; it sees nothing before `watch`.

    `descriptor` is the socket, bound to nothing, of the link's network namespace; it is
    closed with the ring. Raises OSError.
    """

    def __init__(self, descriptor: int, link: str) -> None:
        self._socket = _Socket(fileno=descriptor)
        try:
            self.watch(NOTHING)
            self._socket.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
            ring = _REQUEST.pack(BLOCK, BLOCKS, _FRAME, BLOCKS * BLOCK // _FRAME, _RETIRE_MS, 0, 0)
            self._socket.setsockopt(_SOL_PACKET, _RX_RING, ring)
            self._map = mmap.mmap(self._socket.fileno(), BLOCK * BLOCKS)
        except OSError:
            self._socket.close()
            raise
        self._memory = memoryview(self._map)
        self._socket.bind((link, _ALL_PROTOCOLS))
        self._next = 0
        self._seen = 0
        """How many packets of the next block were taken before it was ours."""

    def watch(self, program: bytes) -> None:
        """See what passes the filter (struct sock_filter each) from now on. Raises OSError."""
        code = ctypes.create_string_buffer(program, len(program))
        # struct sock_fprog
        attached = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
        self._socket.setsockopt(SOL_SOCKET, _ATTACH_FILTER, attached)

    def take(self) -> Iterator[RingBlock]:
        """Whole blocks that are there; each is the kernel's again when the next is asked for."""
        for _ in range(BLOCKS):
            begin = self._next * BLOCK
            status, count, first = _BLOCK_HEAD.unpack_from(self._memory, begin + _STATUS_AT)
            if not status & _OURS:
                return
            skipped, self._seen = self._seen, 0
            yield self._block(begin, first, count, skipped)
            # The count first: the kernel leaves it until it opens the block.
            for place in (_COUNT_AT, _STATUS_AT):
                self._memory[begin + place : begin + place + 4] = bytes(4)
            self._next = (self._next + 1) % BLOCKS

    def take_rest(self) -> Iterator[RingBlock]:
        """The same, and the block that the kernel is still writing to, when nothing passes."""
        yield from self.take()
        begin = self._next * BLOCK
        _, count, first = _BLOCK_HEAD.unpack_from(self._memory, begin + _STATUS_AT)
        skipped, self._seen = self._seen, count
        yield self._block(begin, first, count, skipped)

    def _block(self, begin: int, first: int, count: int, skipped: int) -> RingBlock:
        memory = self._memory[begin : begin + BLOCK]
        for _ in range(skipped):
            first += int.from_bytes(memory[first : first + 4], "little")
        return RingBlock(memory, first, count - skipped)

    def dropped(self) -> int:
        """How many packets passed the filter and found no room, since it was last asked."""
        told = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, _STATISTICS_V3.size)
        drops: int = _STATISTICS_V3.unpack(told)[1]
        return drops

    def close(self) -> None:
        """Give the memory and the socket back, when nobody has a block any more."""
        self._socket.close()
        del self._memory, self._map
