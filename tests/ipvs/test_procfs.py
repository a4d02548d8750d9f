"""/proc/net/ip_vs as the kernel writes it, also where it is hard to read."""

from socket import AF_INET, AF_INET6

from ipvsload.ipvs.decode import Row, TableRows
from ipvsload.ipvs.keys import Identity, endpoint, service_key
from ipvsload.ipvs.procfs import forwardings_of, read_table
from ipvsload.sidecar.wanted_services import wanted

TABLE = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0000250:0050 rr  
  -> C633640C:0050      Masq    1      0          2         
  -> C633640B:0050      Masq    0      3          4         
FWM  00000007 lc persistent 300
TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:1F90 sh  
"""  # noqa: W291
HARD = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
FWM  00000002 rr 
  -> [2001:0db8:0000:0000:0000:0000:0000:0002]:0050      Route   1      1          1         
TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0050 sh persistent 300 FFFFFFFF
  -> 0A000001:0050      Tunnel  1      1          1         
UDP  0A600A0A:0035 rr ops 
  -> 0AF40002:0035      Masq    1      0          7         
TCP  0A600A0A:0035 rr  
  -> 0AF40002:0035      Masq    1      2          0         
TCP  0A000001:0000 wlc persistent 900 FFFFFF00
  -> 7F000001:0000      Local   1      0          0         
"""  # noqa: W291


def servers(table: TableRows) -> list[list[tuple[str, int, int, int]]]:
    """Of each service, its servers' endpoints, weights, active and inactive connections."""

    def server(family: int, row: Row) -> tuple[str, int, int, int]:
        address, port, weight, active, inactive, *_ = row
        return endpoint(family, address, port), weight, active, inactive

    return [
        [server(family, row) for family, rows in batches for row in rows] for _, batches in table
    ]


def test_the_table_out_of_proc() -> None:
    version, table = read_table(TABLE, hz=100)
    assert version == "1.2.1"
    (one, _), (mark, none), (six, _) = table
    assert one[1] == 6
    assert one[5] == b"rr\0"
    assert [server[1:] for server in servers(table)[0]] == [(1, 0, 2), (0, 3, 4)]
    assert (mark[4], mark[7], none) == (7, 3, [])
    assert six[0] == 10
    assert wanted(one, [("", 80)])
    assert wanted(one, [("192.0.2.80", 80)])
    assert not wanted(one, [("192.0.2.81", 80)])
    assert not wanted(mark, [("", 80)])
    assert wanted(six, [("2001:db8::1", 8080)])


def test_marks_and_servers_of_the_other_family() -> None:
    _, table = read_table(HARD)
    assert [service_key(Identity(*service[:5])) for service, _ in table] == [
        "fwmark 2",
        "tcp [2001:db8::1]:80",
        "udp 10.96.10.10:53",
        "tcp 10.96.10.10:53",
        "tcp 10.0.0.1:0",
    ]
    assert servers(table) == [
        [("[2001:db8::2]:80", 1, 1, 1)],
        [("10.0.0.1:80", 1, 1, 1)],
        [("10.244.0.2:53", 1, 0, 7)],
        [("10.244.0.2:53", 1, 2, 0)],
        [("127.0.0.1:0", 1, 0, 0)],
    ]
    assert [family for _, batches in table[:2] for family, _ in batches] == [AF_INET6, AF_INET]
    assert [service[6][0] & 0x4 for service, _ in table] == [0, 0, 4, 0, 0]


def test_no_table_is_an_empty_one() -> None:
    assert read_table("") == ("", [])


def test_how_real_servers_are_reached_is_read_for_each_service() -> None:
    text = """IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0000250:0051 rr
  -> C633640C:0051      Route   1      0          0
  -> C633640B:0051      Route   1      0          0
TCP  C0000250:0052 lc
  -> C633640C:0052      Tunnel  1      0          0
  -> C633640B:0050      Masq    1      0          0
FWM  00000007 rr
  -> C633640B:0050      Masq    1      0          0
UDP  C0000250:0035 rr
"""
    assert forwardings_of(text) == {
        "tcp 192.0.2.80:81": "dr",
        "tcp 192.0.2.80:82": "masq and tun",
        "fwmark 7": "masq",
    }
