"""What is counted of the kernel's tracked connections, and what is not."""

import struct
from collections import Counter
from socket import AF_INET, htons, inet_aton

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.decode import Decoder
from ipvsload.netfilter import conntrack
from ipvsload.netfilter.nfnetlink import CONNTRACK, attribute, message, nest
from tests.ipvs import encoder

VIP = inet_aton("192.0.2.80")
CLIENT = inet_aton("192.0.2.101")


def tuple_(number: int, source: bytes, target: bytes, ports: tuple[int, int], of: int) -> bytes:
    port_words = [attribute(n, struct.pack("!H", port)) for n, port in enumerate(ports, 2)]
    return nest(
        number,
        nest(1, attribute(1, source), attribute(2, target)),
        nest(2, attribute(1, bytes([of])), *port_words),
    )


def connection(
    server: bytes,
    port: int,
    state: int,
    *,
    client_port: int = 2048,
    of: int = 6,
    mark: bool = False,
) -> bytes:
    """One entry as a dump has it, with or without an attribute more."""
    attributes = tuple_(1, CLIENT, VIP, (client_port, 80), of)
    attributes += tuple_(2, server, CLIENT, (port, client_port), of)
    attributes += attribute(3, struct.pack("!I", 0x18E))
    if of == 6:
        attributes += nest(4, nest(1, attribute(1, bytes([state])), attribute(2, b"\x07")))
    attributes += attribute(8, bytes(4)) if mark else b""
    data = message(CONNTRACK, 0, AF_INET, attributes)
    struct.pack_into("=I", data, 8, 1)
    return bytes(data)


states = st.integers(0, 9)
servers = st.sampled_from([inet_aton(f"198.51.100.{n}") for n in (11, 12)])


@given(st.lists(st.tuples(servers, st.sampled_from([80, 81]), states, st.booleans()), max_size=60))
def test_connections_are_counted_by_server_and_state(
    table: list[tuple[bytes, int, int, bool]],
) -> None:
    data = b"".join(connection(*one[:3], mark=one[3]) for one in table) + encoder.done(1)
    batches, ended = Decoder(conntrack._COUNTED).feed(data, 1)
    assert ended
    # SYN_SENT, SYN_RECV, ESTABLISHED and SYN_SENT2.
    active = Counter((server, port) for server, port, state, _ in table if state in (1, 2, 3, 9))
    every = Counter((server, port) for server, port, _, _ in table)
    assert conntrack.counts(Counter(row for _, rows in batches for row in rows)) == {
        (VIP, htons(80), server, htons(port)): [active[server, port], n - active[server, port]]
        for (server, port), n in every.items()
    }


def test_what_is_not_translated_and_what_is_not_tcp_does_not_count() -> None:
    data = connection(VIP, 80, 3) + connection(inet_aton("198.51.100.11"), 80, 3, of=17)
    batches, _ = Decoder(conntrack._COUNTED).feed(data + encoder.done(1), 1)
    assert conntrack.counts(Counter(row for _, rows in batches for row in rows)) == {}
