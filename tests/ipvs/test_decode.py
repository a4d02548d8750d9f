"""Bulk decoding gives back what an independent encoder put in, or says that it cannot."""

from socket import AF_INET, AF_INET6, htons

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.decode import SERVER, SERVICE, DecodeError, Decoder, InterruptedDumpError, Row
from tests.ipvs import encoder
from tests.ipvs.encoder import Dest, Svc

u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
u64 = st.integers(0, 2**64 - 1)
counters = st.tuples(u64, u64, u64, u64, u64)
addresses = st.binary(min_size=16, max_size=16)
families = st.sampled_from([int(AF_INET), int(AF_INET6)])
dests = st.builds(Dest, families, addresses, u16, u32, u32, u32, u32, counters)
services = st.builds(
    Svc,
    families,
    st.sampled_from([6, 17, 132]),
    addresses,
    u16,
    st.just(0) | st.integers(1, 2**32 - 1),
    st.sampled_from(["rr", "lc", "wlc", "wrr", "lblcr", "mh", "sh"]),
    u32,
    u32,
    counters,
)


def dest_row(dest: Dest) -> tuple[object, ...]:
    numbers = (dest.weight, dest.active, dest.inactive, dest.persistent)
    return (dest.address, htons(dest.port), *numbers, *dest.counters)


def narrowed(counters: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(value & 0xFFFFFFFF for value in counters[:3]) + counters[3:]


@given(
    table=st.lists(dests, max_size=40),
    wide=st.booleans(),
    tunnel=st.booleans(),
    split=st.integers(1, 40),
    repeats=st.integers(1, 8),
)
def test_servers_come_out_as_they_went_in(
    table: list[Dest], wide: bool, tunnel: bool, split: int, repeats: int
) -> None:
    table = [dest for dest in table for _ in range(repeats)]
    decoder = Decoder(SERVER)
    found: list[tuple[int, Row]] = []
    for sequence in (7, 8):  # the second time with layouts known
        found.clear()
        messages = [encoder.dest(one, sequence, wide=wide, tunnel=tunnel) for one in table]
        messages.append(encoder.done(sequence))
        for i in range(0, len(messages), split):
            batches, ended = decoder.feed(b"".join(messages[i : i + split]), sequence)
            found += [(family, row) for family, rows in batches for row in rows]
        assert ended
        counters = tuple if wide else narrowed
        assert found == [(one.af, (*dest_row(one)[:6], *counters(one.counters))) for one in table]


@given(st.lists(services, max_size=20), st.booleans())
def test_services_come_out_as_they_went_in(table: list[Svc], wide: bool) -> None:
    decoder = Decoder(SERVICE)
    for sequence in (7, 8):
        data = b"".join(encoder.service(one, sequence, wide=wide) for one in table)
        batches, ended = decoder.feed(data + encoder.done(sequence), sequence)
        assert ended
        found = [row for _, rows in batches for row in rows]
        assert len(found) == len(table)
        for row, one in zip(found, table, strict=True):
            af, protocol, address, port, fwmark, scheduler, flags, timeout, *counters = row
            assert (af, fwmark) == (one.af, one.fwmark)
            if not one.fwmark:
                assert (protocol, address) == (one.protocol, one.address)
                assert port == htons(one.port)
            assert scheduler == one.scheduler.encode() + b"\0"
            assert int.from_bytes(flags[:4], "little") == one.flags
            assert timeout == one.timeout
            assert tuple(counters) == (one.counters if wide else narrowed(one.counters))


@given(st.lists(st.tuples(dests, st.none() | st.integers(0, 50)), min_size=2, max_size=30))
def test_messages_of_one_length_and_other_layouts_are_told_apart(
    table: list[tuple[Dest, int | None]],
) -> None:
    data = b"".join(encoder.dest(one, 1, shuffle=shuffle) for one, shuffle in table)
    batches, _ = Decoder(SERVER).feed(data, 1)
    found = [(family, row) for family, rows in batches for row in rows]
    assert found == [(one.af, dest_row(one)) for one, _ in table]


@given(dests, st.integers(1, 1000))
def test_a_datagram_cut_short_is_an_error_and_no_row(dest: Dest, cut: int) -> None:
    whole = encoder.dest(dest, 1)
    decoder = Decoder(SERVER)
    decoder.feed(whole, 1)
    with pytest.raises(DecodeError):
        decoder.feed(whole[: -1 - cut % (len(whole) - 1)], 1)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 5))
def test_noise_is_an_error_or_nothing(noise: bytes, kind: int) -> None:
    data = encoder.message(noise, 1, type_=encoder.FAMILY if kind else kind)
    try:
        batches, _ = Decoder(SERVER).feed(data, 1)
    except DecodeError:
        return
    assert batches == []


@given(dests, st.integers(0, 10_000), st.integers(0, 7))
def test_a_known_layout_is_never_applied_to_another_message(dest: Dest, at: int, bit: int) -> None:
    """Whichever bit is flipped, one that knows the layout reads what a newcomer reads."""
    whole = bytearray(encoder.dest(dest, 1))
    knowing = Decoder(SERVER)
    knowing.feed(bytes(whole), 1)
    whole[at % len(whole)] ^= 1 << bit
    assert attempt(knowing, bytes(whole)) == attempt(Decoder(SERVER), bytes(whole))


def attempt(decoder: Decoder, data: bytes) -> object:
    try:
        return decoder.feed(data, 1)
    except (DecodeError, InterruptedDumpError, OSError) as error:
        return type(error), str(error)


def test_a_missing_attribute_is_named() -> None:
    message = encoder.message(encoder.attribute(2, encoder.attribute(1, bytes(16))), 1, command=5)
    with pytest.raises(DecodeError, match="real server message has no attribute"):
        Decoder(SERVER).feed(message, 1)


DEST = Dest(int(AF_INET), bytes(16), 80, 1, 2, 3, 4, (5, 6, 7, 8, 9))


def test_old_kernels_do_not_tell_the_family() -> None:
    batches, _ = Decoder(SERVER).feed(encoder.dest(DEST, 1, tell_family=False, wide=False), 1)
    assert batches == [(0, [dest_row(DEST)])]


def test_what_belongs_to_an_earlier_dump_is_passed_over() -> None:
    data = encoder.dest(DEST, 1) + encoder.done(1)
    assert Decoder(SERVER).feed(data, 2) == ([], False)


def test_an_interrupted_dump_is_told() -> None:
    decoder = Decoder(SERVER)
    decoder.feed(encoder.dest(DEST, 1), 1)
    payload = encoder.dest(DEST, 1)[20:]
    with pytest.raises(InterruptedDumpError):
        decoder.feed(encoder.message(payload, 1, flags=0x12, command=5), 1)


@pytest.mark.parametrize(
    "answer", [encoder.done(1, 105), encoder.done(1, 105)[:4] + b"\2\0" + encoder.done(1, 105)[6:]]
)
def test_the_kernels_refusal_is_an_oserror_with_its_number(answer: bytes) -> None:
    with pytest.raises(OSError, match="refused") as caught:
        Decoder(SERVER).feed(answer, 1)
    assert caught.value.errno == 105


def test_a_server_that_stands_twice_is_seen() -> None:
    decoder = Decoder(SERVER)
    once, _ = decoder.feed(encoder.dest(DEST, 1), 1)
    assert not decoder.has_duplicates(once)
    assert decoder.has_duplicates(once + once)
