"""From frames as the kernel writes them into a ring to packets: filters, columns, who is whose."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.witness import Packet, PacketKind
from ipvsload.testbed.lab.addresses import IPV4, IPV6, PLANS
from ipvsload.testbed.lab.packet_columns import FrameColumns
from ipvsload.testbed.lab.packet_filter import (
    NOTHING,
    OUTGOING,
    client_cable_filter,
    frame_layout,
    server_cable_filter,
)
from ipvsload.testbed.lab.packet_ring import RingBlock
from ipvsload.testbed.lab.seen_packets import SeenPackets, SeenService
from tests.lab.frames import ACK, FIN, PORT, RST, SYN, Frame

INCOMING = 0
MAC = 82
"""Where the kernel puts a frame in a ring, from the packet's own header on."""


def taken(program: bytes, frame: Frame) -> int:
    """How many bytes of a frame the kernel takes: as much of classic BPF as is used here."""
    raw, code = frame.raw(), list(struct.iter_unpack("=HBBI", program))
    accumulator = place = 0
    while True:
        operation, if_so, if_not, value = code[place]
        place += 1
        match operation:
            case 0x06:
                return int(value)
            case 0x15:
                place += if_so if accumulator == value else if_not
            case 0x45:
                place += if_so if accumulator & value else if_not
            case _ if value == 0xFFFFF004:
                accumulator = OUTGOING if frame.outgoing else INCOMING
            case _:
                size = {0x20: 4, 0x28: 2, 0x30: 1}[operation]
                if value + size > len(raw):
                    return 0
                accumulator = int.from_bytes(raw[value : value + size], "big")


def block(frames: Sequence[Frame], size: int) -> RingBlock:
    """As net/packet/af_packet.c writes them: struct tpacket3_hdr, sockaddr_ll, the frame."""
    step, first = -(-(MAC + size) // 8) * 8, 48
    memory = bytearray(first)
    for frame in frames:
        seconds, ns = divmod(frame.t_ns, 10**9)
        following = step if frame is not frames[-1] else 0
        raw = frame.raw()
        head = struct.pack("<6IHH", following, seconds, ns, size, len(raw), 1, MAC, MAC + 14)
        kind = OUTGOING if frame.outgoing else INCOMING
        told = head.ljust(48, b"\0") + struct.pack("<HHiHBB8x", 17, 0, 2, 1, kind, 6)
        memory += (told.ljust(MAC, b"\0") + raw[:size]).ljust(step, b"\0")
    return RingBlock(memoryview(bytes(memory)), first, len(frames))


@st.composite
def frames(draw: st.DrawFn) -> tuple[str, Frame]:
    """A frame as one of those that are looked for, with at most two things changed."""
    family = draw(st.sampled_from([IPV4, IPV6]))
    plan = PLANS[family]
    client, server = f"{plan.clients}101", f"{plan.servers}11"
    frame = draw(
        st.sampled_from(
            [
                Frame(False, client, 2048, plan.vip, PORT, SYN),
                Frame(True, plan.vip, PORT, client, 2048, FIN),
                Frame(True, client, 2048, server, 80, SYN),
                Frame(True, client, 2048, plan.vip, PORT, RST),
                Frame(True, client, 2048, plan.vip, PORT, SYN, server),
            ]
        )
    )
    addresses, ports = st.sampled_from([plan.vip, client, server]), st.sampled_from([1, PORT])
    others: dict[str, st.SearchStrategy[Any]] = {
        "outgoing": st.booleans(),
        "source": addresses,
        "destination": addresses,
        "from_port": ports,
        "to_port": ports,
        "flags": st.integers(0, 63),
        "tunnel": st.sampled_from(["", server]),
        "protocol": st.just(17),
    }
    changed = draw(st.sets(st.sampled_from(sorted(others)), max_size=2))
    values: dict[str, Any] = {name: draw(others[name]) for name in sorted(changed)}
    return family, frame._replace(**values)


@given(frames(), st.sampled_from([IPV4, IPV6]))
def test_what_passes_at_the_clients_cable(found: tuple[str, Frame], family: str) -> None:
    its_family, frame = found
    vip = PLANS[family].vip
    plain = its_family == family and frame.protocol == 6 and not frame.tunnel
    asks = (not frame.outgoing, frame.destination, frame.to_port) == (True, vip, PORT)
    ends = (frame.outgoing, frame.source, frame.from_port) == (True, vip, PORT)
    passes = plain and ((asks and frame.flags & SYN) or (ends and frame.flags & (FIN | RST)))
    size = frame_layout(family).size
    assert taken(client_cable_filter(vip, PORT, family), frame) == (size if passes else 0)
    assert taken(NOTHING, frame) == 0


@given(frames(), st.sampled_from([IPV4, IPV6]), st.sampled_from(["masq", "dr", "tun"]))
def test_what_passes_at_the_servers_cable(
    found: tuple[str, Frame], family: str, forwarding: str
) -> None:
    its_family, frame = found
    vip = PLANS[family].vip
    passes = its_family == family and frame.protocol == 6 and frame.outgoing
    passes &= bool(frame.tunnel) == (forwarding == "tun") and frame.flags & (FIN | RST | SYN) > 0
    if forwarding != "masq":
        passes &= (frame.destination, frame.to_port) == (vip, PORT)
    size = frame_layout(family, tunnel=forwarding == "tun").size
    program = server_cable_filter(vip, PORT, family, forwarding)
    assert taken(program, frame) == (size if passes else 0)


def test_a_filter_takes_so_much_that_no_frame_is_shorter() -> None:
    assert frame_layout(IPV4).size == 14 + 20 + 20
    assert frame_layout(IPV6, tunnel=True).size == 14 + 40 + 40 + 20


@pytest.mark.parametrize("forwarding", ["masq", "dr", "tun"])
@pytest.mark.parametrize("family", [IPV4, IPV6])
def test_packets_have_their_clients_and_servers(family: str, forwarding: str) -> None:
    plan = PLANS[family]
    client, vip = f"{plan.clients}101", plan.vip
    hosts = [f"{plan.servers}{number}" for number in (11, 12)]
    macs = [b"\x02\0\0\0\0\x0b", b"\x02\0\0\0\x0c\0"]
    tunnel = forwarding == "tun"

    def to_server(port: int, flags: int, server: int, t_ns: int) -> Frame:
        target = (hosts[server], 80) if forwarding == "masq" else (vip, PORT)
        outer = hosts[server] if tunnel else ""
        return Frame(True, client, port, *target, flags, outer, macs[server], t_ns)

    def asks(port: int, t_ns: int) -> Frame:
        return Frame(False, client, port, vip, PORT, SYN, t_ns=t_ns)

    def answers(port: int, flags: int, t_ns: int) -> Frame:
        return Frame(True, vip, PORT, client, port, flags, t_ns=t_ns)

    t = 1_700_000_000_999_999_990
    at_clients = [
        *(asks(2048, t), asks(2049, t + 20), answers(2048, FIN | ACK, t + 40)),
        *(answers(2049, RST, t + 50), answers(2050, FIN, t + 55), asks(2048, t + 70)),
        answers(2048, FIN, t + 90),
    ]
    at_servers = [
        *(to_server(2048, SYN, 0, t + 10), to_server(2049, SYN, 1, t + 30)),
        *(to_server(2048, FIN | ACK, 0, t + 60), to_server(2048, SYN, 1, t + 80)),
        *(to_server(2048, RST, 1, t + 100), to_server(1024, SYN, 1, t + 110)),  # of the probes
    ]
    found = FrameColumns(frame_layout(family)), FrameColumns(frame_layout(family, tunnel=tunnel))
    packets = SeenPackets(
        SeenService(PORT, forwarding, plan.endpoint, dict(zip(macs, hosts, strict=True)))
    )
    keeps = packets.at_clients, packets.at_servers
    for columns, seen, keep in zip(found, (at_clients, at_servers), keeps, strict=True):
        size = frame_layout(family, tunnel=tunnel and seen is at_servers).size
        assert columns.add(block(seen[:2], size)) == 2
        assert columns.add(block([], size)) == 0
        keep(columns.all())  # in two parts: what was known of the first stays known
        assert columns.add(block(seen[2:], size)) == columns.waiting == len(seen) - 2
        keep(columns.all())
    table = packets.table(lambda times: times - t)
    port = 80 if forwarding == "masq" else PORT
    first, second = (plan.endpoint.format(host, port) for host in hosts)
    assert list(table) == [
        Packet(0, PacketKind.ASKED, client, 2048, ""),
        Packet(10, PacketKind.CHOSEN, client, 2048, first),
        Packet(20, PacketKind.ASKED, client, 2049, ""),
        Packet(30, PacketKind.CHOSEN, client, 2049, second),
        Packet(40, PacketKind.SERVER_FIN, client, 2048, first),
        Packet(50, PacketKind.SERVER_RST, client, 2049, second),
        Packet(60, PacketKind.CLIENT_FIN, client, 2048, first),
        Packet(70, PacketKind.ASKED, client, 2048, ""),
        Packet(80, PacketKind.CHOSEN, client, 2048, second),
        Packet(90, PacketKind.SERVER_FIN, client, 2048, second),
        Packet(100, PacketKind.CLIENT_RST, client, 2048, second),
    ]
    assert table.director_us() == {"p50": 0.01, "p99": 0.01}
    assert [len(one.all()) for one in found] == [one.waiting for one in found] == [0, 0]


def test_nothing_seen_is_no_packets() -> None:
    columns = FrameColumns(frame_layout(IPV4))
    packets = SeenPackets(SeenService(PORT, "masq", "{}:{}", {}))
    packets.at_clients(columns.all())
    packets.at_servers(columns.all())
    table = packets.table(lambda times: times)
    assert list(table) == []
    assert table.director_us() == {}


def test_frames_that_are_not_alike_are_refused() -> None:
    size = frame_layout(IPV4).size
    frame = Frame(True, "192.0.2.101", 2048, "198.51.100.11", 80, SYN)
    memory = bytearray(block([frame] * 3, size).memory)
    memory[48 + 12] += 1  # the first one's length
    with pytest.raises(ValueError, match="lengths"):
        FrameColumns(frame_layout(IPV4)).add(RingBlock(memoryview(memory), 48, 3))


def test_times_are_whole_nanoseconds() -> None:
    layout, columns = frame_layout(IPV4), FrameColumns(frame_layout(IPV4))
    t = 4_294_967_295_999_999_999  # the last that the kernel can tell
    columns.add(block([Frame(True, "192.0.2.1", 1, "192.0.2.2", 2, SYN, t_ns=t)], layout.size))
    assert columns.all()["t"].tolist() == [t]
    assert columns.all().dtype["t"] == np.int64
