"""Writes IPVS dump messages attribute by attribute, independently of the decoder.

Slow and plain on purpose: what decode.py reads in bulk is compared with what
was put in here. Orders are the kernel's (ip_vs_genl_fill_service and
ip_vs_genl_fill_dest in net/netfilter/ipvs/ip_vs_ctl.c), or shuffled.
"""

import struct
from dataclasses import dataclass
from random import Random

FAMILY = 26


@dataclass(frozen=True)
class Svc:
    af: int
    protocol: int
    address: bytes
    port: int
    fwmark: int
    scheduler: str
    flags: int
    timeout: int
    counters: tuple[int, ...]


@dataclass(frozen=True)
class Dest:
    af: int
    address: bytes
    port: int
    weight: int
    active: int
    inactive: int
    persistent: int
    counters: tuple[int, ...]


def attribute(number: int, value: bytes) -> bytes:
    padding = bytes(-len(value) % 4)
    return struct.pack("=HH", 4 + len(value), number) + value + padding


def message(
    payload: bytes, sequence: int, *, type_: int = FAMILY, flags: int = 2, command: int = 1
) -> bytes:
    body = struct.pack("=BBH", command, 1, 0) + payload
    return struct.pack("=IHHII", 16 + len(body), type_, flags, sequence, 4711) + body


def done(sequence: int, error: int = 0) -> bytes:
    return struct.pack("=IHHIIi", 20, 3, 2, sequence, 4711, -error)


def _counters(counters: tuple[int, ...], number: int, wide: bool) -> bytes:
    codes = "QQQQQ" if wide else "IIIQQ"
    inner = b"".join(
        attribute(i, struct.pack("=" + code, value))
        for i, (code, value) in enumerate(zip(codes, counters, strict=True), 1)
    )
    rates = "Q" if wide else "I"
    inner += b"".join(attribute(i, struct.pack("=" + rates, i * 77)) for i in range(6, 11))
    return attribute(number, inner)


def _stats(counters: tuple[int, ...], wide: bool) -> list[bytes]:
    low = tuple(value & 0xFFFFFFFF for value in counters[:3]) + counters[3:]
    narrow = _counters(low, 10, wide=False)
    return [narrow, _counters(counters, 12, wide=True)] if wide else [narrow]


def service(svc: Svc, sequence: int, *, wide: bool = True) -> bytes:
    parts = [attribute(1, struct.pack("=H", svc.af))]
    if svc.fwmark:
        parts.append(attribute(5, struct.pack("=I", svc.fwmark)))
    else:
        parts.append(attribute(2, struct.pack("=H", svc.protocol)))
        parts.append(attribute(3, svc.address))
        parts.append(attribute(4, struct.pack("!H", svc.port)))
    parts.append(attribute(6, svc.scheduler.encode() + b"\0"))
    parts.append(attribute(7, struct.pack("=II", svc.flags, 0xFFFFFFFF)))
    parts.append(attribute(8, struct.pack("=I", svc.timeout)))
    parts.append(attribute(9, b"\xff" * 4))
    parts += _stats(svc.counters, wide)
    return message(attribute(1, b"".join(parts)), sequence)


def dest(
    server: Dest,
    sequence: int,
    *,
    wide: bool = True,
    tunnel: bool = True,
    tell_family: bool = True,
    shuffle: int | None = None,
) -> bytes:
    def number(i: int, value: int) -> bytes:
        return attribute(i, struct.pack("=I", value))

    parts = [
        attribute(1, server.address),
        attribute(2, struct.pack("!H", server.port)),
        number(3, 0),
        number(4, server.weight),
    ]
    if tunnel:
        parts += [attribute(13, b"\0"), attribute(14, b"\0\0"), attribute(15, b"\0\0")]
    parts += [number(5, 0), number(6, 0)]
    parts += [number(7, server.active), number(8, server.inactive), number(9, server.persistent)]
    if tell_family:
        parts.append(attribute(11, struct.pack("=H", server.af)))
    parts += _stats(server.counters, wide)
    if shuffle is not None:
        Random(shuffle).shuffle(parts)
    return message(attribute(2, b"".join(parts)), sequence, command=5)
