"""Services as connection tracking shows them: each connection is counted once."""

from collections.abc import Iterator
from socket import htons, inet_aton

from ipvsload.ipvs.decode import Decoder, Row
from ipvsload.netfilter import conntrack
from ipvsload.netfilter.tracked_services import TrackedServices
from tests.ipvs import encoder
from tests.netfilter.test_conntrack import VIP, connection

ONE, TWO = (inet_aton(f"198.51.100.{n}") for n in (11, 12))
SYN_SENT, ESTABLISHED, TIME_WAIT = 1, 3, 7


class Dumped(conntrack.Conntrack):
    """Gives messages as the kernel would; only their way over a socket is left out."""

    def __init__(self, *dumps: bytes) -> None:
        self._dumps = iter(dumps)

    def connections(self) -> Iterator[Row]:
        batches, _ = Decoder(conntrack._WHOLE).feed(next(self._dumps) + encoder.done(1), 1)
        return (row for _, rows in batches for row in rows)


def test_a_connection_is_counted_when_it_is_first_seen_and_its_server_stays() -> None:
    first = connection(ONE, 80, ESTABLISHED, client_port=3001) + connection(VIP, 80, ESTABLISHED)
    then = connection(ONE, 80, TIME_WAIT, client_port=3001) + connection(
        TWO, 80, SYN_SENT, client_port=3002
    )
    services = TrackedServices(
        lambda host, port: (host, port) == ("192.0.2.80", 80), Dumped(first, then, b"")
    )
    found = []
    for _ in range(3):
        ((row, [(_, servers)]),) = services.table("iptables")
        found.append({server[0][:4]: server[2:7] for server in servers})
        assert (row[2][:4], row[3], row[5]) == (VIP, htons(80), b"iptables\0")
    # weight, active, inactive, persistent, connections
    assert found == [
        {ONE: (1, 1, 0, 0, 1)},
        {ONE: (1, 0, 1, 0, 1), TWO: (1, 1, 0, 0, 1)},
        {ONE: (1, 0, 0, 0, 1), TWO: (1, 0, 0, 0, 1)},
    ]


def test_other_services_are_none_of_ours() -> None:
    services = TrackedServices(lambda *_: False, Dumped(connection(ONE, 80, ESTABLISHED)))
    assert services.table("nftables") == []
