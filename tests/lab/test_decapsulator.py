"""The real servers' ends of tunnels: what is left of a frame without its outer header."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.testbed.lab.decapsulator import TUNNELS, inner

ETHERNET = bytes(range(14))


@given(
    checksum=st.booleans(),
    segment=st.sampled_from((0, 1440)),
    outer=st.sampled_from([bytes(tunnel.outer) for tunnel in TUNNELS.values()]),
    packet=st.binary(min_size=20, max_size=2000),
)
def test_the_outer_header_goes_and_offsets_move_with_the_rest(
    checksum: bool, segment: int, outer: bytes, packet: bytes
) -> None:
    def told(outer_length: int) -> bytes:
        """The header of virtio, struct virtio_net_hdr, of a TCP packet behind so many bytes."""
        start = 14 + outer_length + 20
        return struct.pack(
            "=BBHHHH",
            int(checksum),
            int(segment > 0),
            start + 20 if segment else 0,
            segment,
            start if checksum else 0,
            16 if checksum else 0,
        )

    frame = told(len(outer)) + ETHERNET + outer + packet
    assert b"".join(inner(memoryview(frame), len(outer))) == told(0) + ETHERNET + packet
