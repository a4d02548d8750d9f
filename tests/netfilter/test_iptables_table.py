"""The kernel's table of rules, as the system call gives it: written here piece by piece."""

import struct
from socket import htons, inet_aton

from ipvsload.netfilter.iptables_table import KnownTable

VIP = inet_aton("192.0.2.80")
ONE, TWO = (inet_aton(f"198.51.100.{n}") for n in (11, 12))
NAME = "ipvsload/service:p80"


def part(name: bytes, body: bytes, revision: int = 0) -> bytes:
    """Make a struct xt_entry_match or xt_entry_target."""
    body += bytes(-len(body) % 8)
    return struct.pack("=H29sB", 32 + len(body), name, revision) + body


def entry(target: bytes, *matches: bytes, destination: bytes = bytes(4), packets: int = 0) -> bytes:
    """Make a struct ipt_entry."""
    of_ip = bytes(4) + destination + bytes(76)
    target_at = 112 + sum(map(len, matches))
    head = struct.pack("=IHHIQQ", 0, target_at, target_at + len(target), 0, packets, packets * 60)
    return of_ip + head + b"".join(matches) + target


def chain(name: str) -> bytes:
    return entry(part(b"ERROR", name.encode().ljust(32, b"\0")))


def comment(text: str) -> bytes:
    return part(b"comment", text.encode().ljust(256, b"\0"))


def to_destination(server: bytes, port: int, revision: int) -> bytes:
    if revision == 0:  # struct nf_nat_ipv4_multi_range_compat
        body = struct.pack("=II4s4sHH", 1, 3, server, server, htons(port), htons(port))
    else:  # struct nf_nat_range
        address = server.ljust(16, b"\0")
        body = struct.pack("=I16s16sHH", 3, address, address, htons(port), htons(port))
    return part(b"DNAT", body, revision)


def table(counts: tuple[int, int], drawn: tuple[int, ...], revision: int) -> bytes:
    """The first pass finds where chains begin, the second has the jumps."""
    begins: dict[str, int] = {}
    for _ in range(2):
        made = entry(part(b"", struct.pack("=i", -2)))  # a policy
        for name, lines in (
            ("KUBE-SEP-A", [(to_destination(ONE, 80, revision), [comment(NAME)], counts[0])]),
            ("KUBE-SEP-B", [(to_destination(TWO, 81, revision), [comment(NAME)], counts[1])]),
            ("KUBE-SERVICES", [("KUBE-SVC-X", [comment(f"{NAME} cluster IP"),
                part(b"tcp", struct.pack("=HHHH4x", 0, 65535, 80, 80))], 7)]),
            ("KUBE-SVC-X", [(f"KUBE-SEP-{'AB'[n]}", [comment("x")], 0) for n in drawn]),
        ):  # fmt: skip
            made += chain(name)
            begins[name] = len(made)
            for target, matches, packets in lines:
                if isinstance(target, str):
                    target = part(b"", struct.pack("=i", begins.get(target, 0)))
                made += entry(target, *matches, destination=VIP, packets=packets)
    return made + chain("ERROR")


def test_services_have_their_servers_with_weight_and_count() -> None:
    for revision in (0, 2):
        whole = table((5, 9), (0,), revision)
        (service,) = KnownTable(whole).entries(whole)
        assert (service.balancer, service.address, service.port) == ("iptables", VIP, htons(80))
        assert service.servers == [(ONE, htons(80), 1, 5), (TWO, htons(81), 0, 9)]


def test_counters_are_those_of_the_reading_and_all_else_must_be_the_same() -> None:
    known = KnownTable(table((5, 9), (0, 1), 2))
    later = table((6, 1 << 40), (0, 1), 2)
    assert known.fits(later)
    (service,) = known.entries(later)
    assert [server[3] for server in service.servers] == [6, 1 << 40]
    assert not known.fits(table((5, 9), (1,), 2))
    assert not known.fits(table((5, 9), (1, 0), 2))  # of the same length
