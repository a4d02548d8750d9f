"""The sidecar in a pod on the node's network: the services under test, in any proxy mode.

A cluster's table has thousands of services that do not concern us, and at times
none at all: while kube-proxy runs in another mode, or restarts, there may be no
IPVS in the kernel. So this sidecar reads only the services that it was told of,
waits for a table to appear, and tells more that can only be known on the node:
which server each connection to the service under test was given ("connections"), the mode and
version that kube-proxy itself reports ("proxy_mode"), while that is not ipvs, which virtual
servers there are ("left"), what is set in those that may be somebody else's ("others"), and
what is set there ("settings"). Where kube-proxy balances without IPVS, the services are
read from connection tracking, as far as that may be read ("tracking").
"""

import argparse
import contextlib
import socket
import sys
import time
from collections.abc import Iterator

# Loaded where it is needed; the archive of a pod's code has what is imported here.
import ipvsload.sidecar.beginnings_choice  # noqa: F401
from ipvsload.ipvs.client import Ipvs
from ipvsload.ipvs.decode import TableRows
from ipvsload.ipvs.keys import (
    Endpoint,
    Identity,
    service_key,
    split_endpoint,
)
from ipvsload.ipvs.netlink import IpvsError
from ipvsload.ipvs.procfs import TABLE, ProcIpvs, read_table
from ipvsload.netfilter.conntrack import Conntrack
from ipvsload.netfilter.tracked_services import TrackedServices
from ipvsload.sidecar.collector import Collector, stop_on_signals
from ipvsload.sidecar.other_services import OtherServices
from ipvsload.sidecar.proxy_status import DEFAULT, ProxyStatus
from ipvsload.sidecar.sampled_node import SampledNode
from ipvsload.sidecar.settings_watch import SettingsWatch
from ipvsload.sidecar.wanted_services import wanted

_FACTS_EVERY = 1.0
_MOST_VIRTUAL_SERVERS = 500
"""A line of a pod's log is not endless."""


class NodeTable:
    """The wanted part of the node's table; empty while there is none.

    Where kube-proxy runs in a `mode` without IPVS, connection tracking takes its
    place. `tracking` is "read", or why it cannot be; "" while nobody needs it.

    `version` is the kernel's, "" until it is known. `reading` is "netlink",
    "proc", or why there is nothing to be read. `source` limits it to one of the
    two; "auto" takes the first that works.
    """

    def __init__(self, endpoints: list[Endpoint], source: str) -> None:
        self._endpoints = endpoints
        self._source = source
        self._reader: Ipvs | ProcIpvs | None = None
        self._next_try = 0.0
        self._tracked: TrackedServices | None = None
        self.version = ""
        self.reading = ""
        self.tracking = ""
        self.mode = ""
        self.may_use_netlink = source != "proc"
        self._open()

    def table(self) -> TableRows:
        """The wanted services now: those of IPVS, and without it those that are tracked."""
        table = self._of_ipvs()
        if not self.by_rules():
            return table
        # What IPVS was left with takes the traffic before any rule sees it.
        theirs = {row[:5] for row, _ in table}
        return table + [(row, rows) for row, rows in self._track() if row[:5] not in theirs]

    def by_rules(self) -> bool:
        """Whether kube-proxy balances without IPVS."""
        return self.mode not in ("", "ipvs")

    def _of_ipvs(self) -> TableRows:
        if self._reader is None and time.monotonic() >= self._next_try:
            self._open()
        if self._reader is None:
            return []
        try:
            return self._reader.table(lambda service: wanted(service, self._endpoints))
        except (IpvsError, OSError) as error:  # the module was taken out
            self.reading = str(error)
            self._reader.close()
            self._reader = None
            return []

    def _track(self) -> TableRows:
        try:
            self._tracked = self._tracked or TrackedServices(self._is_wanted, Conntrack())
            table = self._tracked.table(self.mode)
        except OSError as error:
            self.tracking = f"connection tracking cannot be read: {error.strerror}"
            return []
        self.tracking = "read"
        return table

    def _is_wanted(self, host: str, port: int) -> bool:
        return any(there in ("", host) and port == number for there, number in self._endpoints)

    def timeouts(self) -> dict[str, int]:
        """IPVS's timeouts; none where they cannot be read, as without a right to netlink."""
        try:
            return self._reader.timeouts() if isinstance(self._reader, Ipvs) else {}
        except IpvsError:
            return {}

    def _open(self) -> None:
        self._next_try = time.monotonic() + _FACTS_EVERY
        self.reading = ""
        if self.may_use_netlink:
            try:
                self._reader = Ipvs()
                self.version, self.reading = self._reader.version, "netlink"
                return
            except IpvsError as error:
                self.reading = str(error)
        if self._source != "netlink":
            try:
                self._reader = ProcIpvs(self._endpoints)
                self.version, self.reading = self._reader.version, "proc"
            except OSError as error:
                self.reading = self.reading or f"{error.filename}: {error.strerror}"


class NodeFacts:
    """What else can only be known on the node; told once a second at most."""

    def __init__(self, table: NodeTable, proxy: ProxyStatus) -> None:
        self._table = table
        self._proxy = proxy
        self._others = OtherServices(netlink=table.may_use_netlink)
        self._settings = SettingsWatch(table.timeouts)
        self._due = 0.0
        self._told: list[dict[str, object]] = [
            {"reading": "", "ipvs": ""},
            {"tracking": ""},
            {"left": []},
            {},
        ]

    def __call__(self) -> Iterator[dict[str, object]]:
        """What has changed."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _FACTS_EVERY
        status = self._proxy()
        mode = status["proxy_mode"]
        self._table.mode = str(mode)
        facts: list[dict[str, object]] = [
            {"reading": self._table.reading, "ipvs": self._table.version},
            {"tracking": self._table.tracking},
            status,
            {"left": [] if mode == "ipvs" else virtual_servers()},
            # A kube-proxy in IPVS mode has deleted them; its own may be thousands.
            self._told[-1] if mode == "ipvs" and self._told[-1] else self._others(),
        ]
        yield from (fact for fact in facts if fact and fact not in self._told)
        self._told = facts
        yield from self._settings()


def virtual_servers() -> list[str]:
    """The keys of all that are in the kernel; out of /proc, which needs no right to it."""
    try:
        with open(TABLE) as file:
            _, table = read_table(file.read())
    except OSError:
        return []
    return [service_key(Identity(*row[:5])) for row, _ in table[:_MOST_VIRTUAL_SERVERS]]


def main(argv: list[str] | None = None) -> int:
    """Runs until it is ended; returns the exit status."""
    parser = argparse.ArgumentParser(prog="ipvsload sidecar", description=__doc__)
    add = parser.add_argument
    add("--hz", type=float, default=10.0, help="samples a second")
    add("--node", default=socket.gethostname(), help="name of this node")
    add("--service", type=split_endpoint, action="append", required=True,
        metavar="[ADDRESS]:PORT",
        help="a service to be read; each connection to the first one is told")  # fmt: skip
    add("--proxy-status", type=split_endpoint, default=DEFAULT, metavar="ADDRESS:PORT")
    add("--source", choices=("auto", "netlink", "proc"), default="auto")
    options = parser.parse_args(argv)
    table = NodeTable(options.service, options.source)
    facts = NodeFacts(table, ProxyStatus(options.proxy_status))
    node = SampledNode(options.node, table, facts, by_rules=table.by_rules, timeouts=table.timeouts)
    collector = Collector([node], hz=options.hz, stdin=None, stdout=1)
    collector.tell_connections(options.service[:1])
    stop_on_signals(collector)
    with contextlib.suppress(ConnectionError):
        collector.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
