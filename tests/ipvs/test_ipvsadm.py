"""The table as text, beside what ipvsadm 1.31 printed in a lab."""

from ipvsload.ipvs.ipvsadm import listing
from ipvsload.ipvs.table import VirtualService
from tests.locust_plugin.samples import server, service

IPVSADM = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  192.0.2.80:80 rr
  -> 198.51.100.11:80             Masq    1      0          53
  -> 198.51.100.12:80             Masq    1      0          54
TCP  10.9.9.8:80 rr persistent 360
TCP  10.9.9.8:81 wlc (flag-1,flag-3)
TCP  10.9.9.9:80 mh (mh-fallback,mh-port) persistent 300
UDP  10.9.9.9:53 sh (sh-port) ops
TCP  [fc00::1]:80 rr persistent 100
  -> [fc00::2]:80                 Masq    1      0          0
FWM  7 wlc
  -> 10.1.1.1:0                   Route   1      0          0
FWM  8 IPv6 rr persistent 360
"""


def table() -> list[VirtualService]:
    """The same, as the sidecar read it: IP_VS_SVC_F_HASHED is always set."""
    hashed, persistent, ops, one, two, three = 2, 1, 4, 8, 16, 32
    return [
        service(
            [server("198.51.100.11:80", (0, 53, 53)), server("198.51.100.12:80", (0, 54, 54))],
            "tcp 192.0.2.80:80",
            flags=hashed,
        ),
        service([], "tcp 10.9.9.8:80", flags=hashed | persistent),
        service([], "tcp 10.9.9.8:81", "wlc", hashed | one | three),
        service([], "tcp 10.9.9.9:80", "mh", hashed | one | two | persistent, 300),
        service([], "udp 10.9.9.9:53", "sh", hashed | two | ops),
        service(
            [server("[fc00::2]:80", (0, 0, 0))],
            "tcp [fc00::1]:80",
            flags=hashed | persistent,
            persistent=100,
        ),
        service([server("10.1.1.1:0", (0, 0, 0))], "fwmark 7", "wlc", hashed),
        service([], "fwmark 8 v6", flags=hashed | persistent),
    ]


def without_what_samples_do_not_have(text: str) -> str:
    text = text.replace(" version 1.2.1 (size=4096)", "").replace("Forward ", "")
    return text.replace("Masq    ", "").replace("Route   ", "")


def test_it_reads_as_ipvsadm_does() -> None:
    assert listing({"n": table()}) == without_what_samples_do_not_have(IPVSADM)


def test_each_of_several_nodes_has_a_table() -> None:
    text = listing({"b": [], "a": [service([])]})
    header = (
        "Prot LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port           Weight ActiveConn InActConn\n"
    )
    first = f"IP Virtual Server on a\n{header}TCP  192.0.2.80:81 rr\n"
    assert text == f"{first}\nIP Virtual Server on b\n{header}"


def test_without_samples_there_is_nothing() -> None:
    assert listing({}) == ""


def test_words_stand_behind_the_servers_that_they_are_of() -> None:
    plain = listing({"n": table()}).splitlines()
    row = next(line for line in plain if line.startswith("  -> ") and "Remote" not in line)
    address = row.split()[1]
    marked = listing({"n": table()}, {address: "killed"}).splitlines()
    assert {new for old, new in zip(plain, marked, strict=True) if old != new} == {
        f"{old}  killed" for old in plain if old.startswith("  -> ") and old.split()[1] == address
    }
