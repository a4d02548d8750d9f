"""Frames out of a ring's blocks as columns of numbers, a block at once.

A block of nearly a thousand frames takes some fifty microseconds. All frames have one
length (`packet_filter.py`), so the blocks are arrays as they are.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipvsload.testbed.lab.packet_filter import FrameLayout
from ipvsload.testbed.lab.packet_ring import RingBlock

_ALIGNED = 8  # net/packet/af_packet.c: V3_ALIGNMENT
_MAC_AT = 24  # of struct tpacket3_hdr (include/uapi/linux/if_packet.h): tp_mac
_TYPE_AT = 48 + 10  # struct sockaddr_ll stands behind it: sll_pkttype


class FrameColumns:
    """Takes blocks of frames with this layout.

    Columns: `t` (CLOCK_REALTIME in ns), `type` (PACKET_OUTGOING and others), `flags` (TCP's),
    `source`, `destination` and `outer` (addresses as bytes), `from_port`, `to_port`, and
    `mac`, the frame's destination.
    """

    def __init__(self, layout: FrameLayout) -> None:
        self._layout = layout
        address = f"S{layout.address}"
        self._kept = np.dtype(
            [
                ("t", "i8"), ("type", "u1"), ("flags", "u1"), ("from_port", "u2"),
                ("to_port", "u2"), ("source", address), ("destination", address),
                ("outer", address), ("mac", "S6"),
            ]
        )  # fmt: skip
        self.waiting = 0
        """How many frames were taken since `all`."""
        self._blocks: list[NDArray[Any]] = []
        self._frames: dict[tuple[int, int], np.dtype[Any]] = {}

    def add(self, block: RingBlock) -> int:
        """Copy what is kept of a block; how many frames it had.

        Raises ValueError where its frames are not all alike.
        """
        if not block.packets:
            return 0
        head = block.memory[block.first : block.first + _MAC_AT + 2]
        mac = int.from_bytes(head[_MAC_AT : _MAC_AT + 2], "little")
        step = -(-(mac + self._layout.size) // _ALIGNED) * _ALIGNED
        frames = np.ndarray(
            (block.packets,), self._frame(mac, step), block.memory, offset=block.first
        )
        if (
            (frames["next"][:-1] != step).any()
            or (frames["size"] != self._layout.size).any()
            or (frames["mac_at"] != mac).any()
        ):
            raise ValueError("frames of several lengths in one block")
        kept = np.empty(block.packets, self._kept)
        kept["t"] = frames["seconds"] * np.int64(1_000_000_000) + frames["ns"]
        for name in self._kept.names[1:]:  # type: ignore[index]
            kept[name] = frames[name]
        self._blocks.append(kept)
        self.waiting += block.packets
        return block.packets

    def all(self) -> NDArray[Any]:
        """All that was taken, and begin anew."""
        blocks, self._blocks, self.waiting = self._blocks, [], 0
        return np.concatenate([np.empty(0, self._kept), *blocks])

    def _frame(self, mac: int, step: int) -> np.dtype[Any]:
        """One frame as the kernel writes it: struct tpacket3_hdr, sockaddr_ll, the packet."""
        layout, address = self._layout, f"S{self._layout.address}"
        names = (
            ("next", "<u4", 0), ("seconds", "<u4", 4), ("ns", "<u4", 8), ("size", "<u4", 12),
            ("mac_at", "<u2", _MAC_AT), ("type", "u1", _TYPE_AT), ("mac", "S6", mac),
            ("source", address, mac + layout.source_at),
            ("destination", address, mac + layout.destination_at),
            ("outer", address, mac + layout.outer_destination_at),
            ("from_port", ">u2", mac + layout.tcp_at),
            ("to_port", ">u2", mac + layout.tcp_at + 2),
            ("flags", "u1", mac + layout.flags_at),
        )  # fmt: skip
        found = self._frames.get((mac, step))
        if found is None:
            found = self._frames[mac, step] = np.dtype(
                {
                    "names": [name for name, _, _ in names],
                    "formats": [kind for _, kind, _ in names],
                    "offsets": [offset for _, _, offset in names],
                    "itemsize": step,
                }
            )
        return found
