"""What tells of connections as they begin, on this machine and for these services.

Connection tracking, where rules balance and IPVS does not, and where IPVS has it track its
connections, as kube-proxy does; else the packets that leave. net.ipv4.vs.conntrack alone has
nothing tracked: some rule must ask for it, too (include/net/ip_vs.h, ip_vs_register_conntrack).
"""

from collections.abc import Sequence
from contextlib import suppress
from socket import AF_INET6, IPPROTO_TCP

from ipvsload.ipvs.decode import TableRows
from ipvsload.ipvs.forwarding import MASQUERADING
from ipvsload.ipvs.keys import Endpoint, Identity, host_of, service_key
from ipvsload.sidecar.beginnings import Beginnings, Together
from ipvsload.sidecar.forwardings import read_forwardings
from ipvsload.sidecar.kernel_files import text_of
from ipvsload.sidecar.leaving_syns import LeavingSyns
from ipvsload.sidecar.node_addresses import node_addresses
from ipvsload.sidecar.tracked_beginnings import TrackedBeginnings
from ipvsload.sidecar.wanted_services import wanted

_TRACKS = "/proc/sys/net/ipv4/vs/conntrack"
_TRACKED = "/proc/sys/net/netfilter/nf_conntrack_count"


class UnheardError(Exception):
    """Nothing tells of connections as they begin; says why."""


def listen(services: Sequence[Endpoint], table: TableRows, *, by_rules: bool) -> Beginnings:
    """Begin to listen in this network namespace. Raises UnheardError."""
    if not by_rules and text_of(_TRACKS).strip() != "1":
        return _leaving(services, table)
    try:
        tracked = TrackedBeginnings(services)
    except OSError as error:
        raise UnheardError(f"connection tracking tells nothing: {error.strerror}") from None
    over_ipv6 = any(row[0] == AF_INET6 for row, _ in _of(services, table))
    if by_rules or (text_of(_TRACKED).strip() not in ("", "0") and not over_ipv6):
        return tracked
    # Perhaps nothing is tracked, or not what is asked for.
    try:
        return Together(tracked, _leaving(services, table))
    except UnheardError:
        tracked.close()
        raise


def _leaving(services: Sequence[Endpoint], table: TableRows) -> LeavingSyns:
    _check(services, table)
    try:
        return LeavingSyns(services)
    except OSError as error:
        raise UnheardError(f"packets cannot be seen: {error.strerror}") from None


def _check(services: Sequence[Endpoint], table: TableRows) -> None:
    """Raises UnheardError where packets do not say to which server they go."""
    ways, here = read_forwardings(), frozenset[str]()
    with suppress(OSError):
        here = frozenset[str]().union(*node_addresses())
    for service, batches in _of(services, table):
        way = ways.get(service_key(Identity(*service[:5])), MASQUERADING)
        if way != MASQUERADING:
            raise UnheardError(f"packets do not say whom they go to where servers are by {way}")
        for family, rows in batches:
            if any(host_of(family or service[0], row[0]) in here for row in rows):
                raise UnheardError("packets to a real server on this machine leave by no device")


def _of(services: Sequence[Endpoint], table: TableRows) -> TableRows:
    return [one for one in table if one[0][1] == IPPROTO_TCP and wanted(one[0], services)]
