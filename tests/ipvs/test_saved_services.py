"""Virtual servers as they are kept: through JSON and back, and as ipvsadm's text."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.ipvsadm import restoring
from ipvsload.ipvs.saved_services import SavedServer, SavedService, from_json
from ipvsload.ipvs.service_keeper import saved_from_proc

numbers = st.integers(0, 2**31)
servers = st.builds(SavedServer, st.just("198.51.100.11:80"), *[numbers] * 7)
services = st.builds(
    SavedService, st.just("tcp 192.0.2.80:80"), st.text(), *[numbers] * 3, st.text(),
    st.lists(servers).map(tuple), st.booleans(),
)  # fmt: skip


@given(services)
def test_what_is_written_is_read(service: SavedService) -> None:
    assert from_json(json.loads(json.dumps(service.to_json()))) == service


PROC = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  CB007109:192B wlc persistent 30000 FFFFFFFF
  -> C6336416:192B      Route   0      0          0
  -> C6336415:192B      Masq    7      0          0
FWM  00000009 rr
  -> C6336417:0000      Tunnel  3      0          0
"""


def test_what_proc_tells() -> None:
    tcp, mark = saved_from_proc(PROC, lambda _: True)
    assert restoring([tcp, mark]) == (
        "-A -t 203.0.113.9:6443 -s wlc -p\n"
        "-a -t 203.0.113.9:6443 -r 198.51.100.21:6443 -m -w 7\n"
        "-a -t 203.0.113.9:6443 -r 198.51.100.22:6443 -g -w 0\n"
        "-A -f 9 -s rr\n"
        "-a -f 9 -r 198.51.100.23:0 -i -w 3\n"
    )
    assert not tcp.complete
    (one,) = saved_from_proc(PROC, lambda row: bool(row[4]))
    assert one == mark
