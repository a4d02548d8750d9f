"""The sidecar in a pod of the node's network: one service, whatever the proxy does.

A cluster's table has thousands of services that are nobody's business here, and
at times none at all: while kube-proxy runs in another mode, or is being
restarted, there may be no IPVS in the kernel. So this one reads only the services
that it was told of, waits for a table to appear, and tells three more things that
can only be known on the node: which server each new connection was given
("conns"), the mode that kube-proxy itself reports ("proxy_mode"), and, while that
is not ipvs, whatever virtual servers there are ("left").
"""

import argparse
import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from socket import AF_INET6, htons, inet_ntop

from ipvsload.ipvs.client import Ipvs
from ipvsload.ipvs.decode import Row
from ipvsload.ipvs.keys import Identity, service_key
from ipvsload.ipvs.netlink import IpvsError
from ipvsload.ipvs.procfs import (
    CONNECTIONS,
    TABLE,
    ConnectionTally,
    ProcIpvs,
    read_connections,
    read_table,
)
from ipvsload.sidecar.collect import Collector, stop_on_signals
from ipvsload.sidecar.lines import Table

_NOTES_EVERY = 1.0
_PROXY_STATUS = ("127.0.0.1", 10249)
"""kube-proxy's metricsBindAddress, by default; `/proxyMode` answers there."""
_PROXY_WITHIN = 0.5
_LEFT_MOST = 500
"""A line of a pod's log is not endless."""

Endpoint = tuple[str, int]
"""Address and port; the address "" is any."""


def wanted(service: Row, endpoints: list[Endpoint]) -> bool:
    """Whether a service's row is one of these."""
    family, _, raw, port = service[:4]
    number = htons(port)
    if not any(port == number for _, port in endpoints):
        return False
    address = inet_ntop(family, raw[:16] if family == AF_INET6 else raw[:4])
    return any(port == number and host in ("", address) for host, port in endpoints)


class NodeTable:
    """The wanted part of the node's table; empty while there is none.

    `version` is the kernel's, "" until it is known. `how` is "netlink", "proc",
    or why there is nothing to be read.
    """

    def __init__(self, endpoints: list[Endpoint], source: str) -> None:
        self._endpoints = endpoints
        self._choice = source
        self._netlink: Ipvs | None = None
        self._proc: ProcIpvs | None = None
        self._try_again = 0.0
        self.version = ""
        self.how = ""
        self._open()

    def table(self) -> Table:
        """The wanted services now."""
        if not (self._netlink or self._proc) and time.monotonic() >= self._try_again:
            self._open()
        try:
            if self._netlink:
                return self._netlink.table(lambda row: wanted(row, self._endpoints))
            if self._proc:
                table = self._proc.table()
                return [entry for entry in table if wanted(entry[0], self._endpoints)]
        except (IpvsError, OSError) as error:  # the module was taken out
            self.how = str(error)
            self._netlink = self._proc = None
        return []

    def _open(self) -> None:
        self._try_again = time.monotonic() + _NOTES_EVERY
        if self._choice != "proc":
            try:
                self._netlink = Ipvs()
                self.version, self.how = self._netlink.version, "netlink"
                return
            except IpvsError as error:
                self.how = str(error)
        if self._choice != "netlink":
            try:
                self._proc = ProcIpvs()
                self.version, self.how = self._proc.version, "proc"
            except OSError as error:
                self.how = self.how or f"{error.filename}: {error.strerror}"


class Notes:
    """What else is to be told, once a second at most."""

    def __init__(self, table: NodeTable, endpoints: list[Endpoint]) -> None:
        self._table = table
        self._endpoints = endpoints
        self._tally = ConnectionTally()
        self._due = 0.0
        self._mode: str | None = None
        self._left: list[str] = []
        self._how = ""

    def __call__(self) -> Iterator[dict[str, object]]:
        """New connections always, so that silence has a meaning; the rest when it changed."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _NOTES_EVERY
        if self._table.how != self._how:
            self._how = self._table.how
            yield {"reading": self._how, "ipvs": self._table.version}
        mode = proxy_mode()
        if mode != self._mode:
            self._mode = mode
            yield {"proxy_mode": mode}
        left = [] if mode == "ipvs" else virtual_servers()
        if left != self._left:
            self._left = left
            yield {"left": left}
        t = time.monotonic_ns()
        yield {"conns": self._connections(), "t": t}

    def _connections(self) -> list[list[object]]:
        try:
            with open(CONNECTIONS) as file:
                ours = [
                    one
                    for one in read_connections(file)
                    if any(
                        one.virtual_port == port and host in ("", one.virtual)
                        for host, port in self._endpoints
                    )
                ]
        except OSError:
            return []
        return [
            [one.client, one.client_port, _join(one.server, one.server_port), one.virtual_port]
            for one in self._tally.saw(ours)
        ]


def virtual_servers() -> list[str]:
    """The names of all that are in the kernel, by way of /proc: without a right, and seldom."""
    try:
        with open(TABLE) as file:
            _, table = read_table(file.read())
    except OSError:
        return []
    return [service_key(Identity(*row[:5])) for row, _ in table[:_LEFT_MOST]]


def proxy_mode() -> str:
    """What kube-proxy says it runs, as "ipvs"; "" where it does not answer."""
    try:
        with socket.create_connection(_PROXY_STATUS, _PROXY_WITHIN) as connection:
            connection.sendall(b"GET /proxyMode HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = b""
            while chunk := connection.recv(4096):
                answer += chunk
    except OSError:
        return ""
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split()
    return body.decode(errors="replace").strip() if words[1:2] == [b"200"] else ""


def main(argv: list[str] | None = None) -> int:
    """Runs until it is ended; returns the exit status."""
    options = _parser().parse_args(argv)
    table = NodeTable(options.service, options.source)
    notes = Notes(table, options.service)
    stdin = os.open(os.devnull, os.O_RDONLY)
    collector = Collector(
        table, hz=options.hz, count=0, node=options.node, stdin=stdin, stdout=1, notes=notes
    )
    stop_on_signals(collector)
    with contextlib.suppress(ConnectionError):
        collector.run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ipvsload sidecar", description=__doc__)
    add = parser.add_argument
    add("--hz", type=float, default=10.0, help="samples a second")
    add("--node", default=socket.gethostname(), help="name of this node")
    add("--service", type=_endpoint, action="append", required=True, metavar="[ADDRESS]:PORT")
    add("--source", choices=("auto", "netlink", "proc"), default="auto")
    return parser


def _endpoint(text: str) -> Endpoint:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    sys.exit(main())
