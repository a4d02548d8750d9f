"""Client ports that come again while IPVS remembers their last connection.

IPVS keeps a connection that has ended for 120 s in TIME_WAIT (ip_vs_proto_tcp.c,
tcp_timeouts). What a new one from the same address and port meets then,
`conn_reuse_mode` says (ip_vs_core.c, ip_vs_in_hook and is_new_conn_expected):
with 0 it follows the old one to its server, as a packet of it, and the scheduler is
not asked nor the connection counted; with 1 the scheduler chooses anew.
"""

from collections.abc import Iterable

from ipvsload.record.events import DirectorSettings
from ipvsload.record.format import Request
from ipvsload.record.reader import RecordedRun

REMEMBERED_S = 120


def ports_again(requests: Iterable[Request]) -> int:
    """How many connections came from a port that had one less than REMEMBERED_S before."""
    last: dict[tuple[str, int], int] = {}
    found = 0
    opened = (one for one in requests if one.client and one.port and not one.reused)
    for request in sorted(opened, key=lambda one: one.start_us):
        source = request.client, request.port
        if source in last and request.start_us - last[source] < REMEMBERED_S * 1e6:
            found += 1
        last[source] = request.start_us + request.latency_us
    return found


def reuse_modes(run: RecordedRun) -> set[int]:
    """`conn_reuse_mode` of each director, as far as it is known."""
    told = (event.sysctls.get("conn_reuse_mode") for event in run.of_type(DirectorSettings))
    return {mode for mode in told if isinstance(mode, int)}
