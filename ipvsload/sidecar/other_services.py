"""Virtual servers that kube-proxy may not have made, as they can be put back.

kube-proxy binds the addresses of Services to its own device, so a virtual
server at such an address is its own, also of a Service that is gone. Whose the
others are is known where the cluster's Services are known, not here.
"""

import contextlib
import time
from collections.abc import Callable

from ipvsload.ipvs.decode import InterruptedDumpError, Row
from ipvsload.ipvs.keys import host_of
from ipvsload.ipvs.netlink import IpvsError
from ipvsload.ipvs.procfs import TABLE
from ipvsload.ipvs.saved_services import SavedService
from ipvsload.ipvs.service_keeper import ServiceKeeper, saved_from_proc
from ipvsload.sidecar.node_addresses import node_addresses

_MOST = 500
"""A line of a pod's log is not endless."""
_SHARE = 20
"""A table whose reading takes long is read seldom: a twentieth of the time at most."""


class OtherServices:
    """Read by netlink, or out of /proc where that is not permitted, or not wanted."""

    def __init__(self, *, netlink: bool) -> None:
        self._netlink = netlink
        self._due = 0.0
        self._last: dict[str, object] = {}

    def __call__(self) -> dict[str, object]:
        """The line for the log: as it was before, where a reading is not due or did not work."""
        began = time.monotonic()
        if began >= self._due:
            # The addresses cannot be read, or the table changes: the next time.
            with contextlib.suppress(OSError, InterruptedDumpError):
                self._last = self._read()
            self._due = time.monotonic() + _SHARE * (time.monotonic() - began)
        return self._last

    def _read(self) -> dict[str, object]:
        bound, node = node_addresses()

        def wanted(row: Row) -> bool:
            family, _, address, _, fwmark, *_ = row
            return bool(fwmark) or host_of(family, address) not in bound

        found = self._services(wanted)
        return {
            "others": [service.to_json() for service in found[:_MOST]],
            "more": max(0, len(found) - _MOST),
            "addresses": sorted(node),
        }

    def _services(self, wanted: Callable[[Row], bool]) -> list[SavedService]:
        if self._netlink:
            # No IPVS at all, or no right.
            with contextlib.suppress(IpvsError), ServiceKeeper() as keeper:
                return keeper.saved(wanted)
        try:
            with open(TABLE) as file:
                return saved_from_proc(file.read(), wanted)
        except FileNotFoundError:
            return []
