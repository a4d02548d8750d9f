"""Reads virtual servers so that they can be put back, and puts them back.

Rare and whole, where client.py is frequent and quick: every attribute that
somebody may have set is read and written.
"""

import struct
from collections.abc import Callable
from socket import AF_INET6, htons, ntohs
from typing import Any

from ipvsload.ipvs import netlink
from ipvsload.ipvs.client import Ipvs
from ipvsload.ipvs.decode import Decoder, MessageKind, Row, nested
from ipvsload.ipvs.forwarding import NUMBERS
from ipvsload.ipvs.keys import Identity, endpoint, parse_endpoint, parse_service, service_key
from ipvsload.ipvs.procfs import read_table
from ipvsload.ipvs.saved_services import SavedServer, SavedService

# ip_vs_genl_fill_service: AF, PROTOCOL, ADDR, PORT, FWMARK, SCHED_NAME, FLAGS, TIMEOUT, NETMASK,
# PE_NAME
_SERVICE = MessageKind(
    "service",
    nested(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11),
    raw=frozenset({2, 5, 6, 9}),
    optional=frozenset({1, 2, 3, 4, 8, 9}),
)
# ip_vs_genl_fill_dest: ADDR, PORT, FWD_METHOD, WEIGHT, U_ and L_THRESH, TUN_TYPE, _PORT, _FLAGS
_SERVER = MessageKind(
    "real server",
    nested(2, 1, 2, 3, 4, 5, 6, 13, 14, 15),
    raw=frozenset({0}),
    optional=frozenset({6, 7, 8}),
    fixed=(2, 11),
)
_HASHED = 0x2
"""The kernel's own flag, IP_VS_SVC_F_HASHED: with it, a new service would not be found."""


class MissingServersError(netlink.IpvsError):
    """A virtual server is back, and the kernel refused some of its real servers."""


class ServiceKeeper(Ipvs):
    """The table of this network namespace, for who keeps it. As Ipvs."""

    def __init__(self) -> None:
        super().__init__()
        self._whole_services = Decoder(_SERVICE)
        self._whole_servers = Decoder(_SERVER)

    def saved(self, wanted: Callable[[Row], bool]) -> list[SavedService]:
        """The services for whose rows (decode.SERVICE's first columns) `wanted` is true."""
        return [
            self._saved(row)
            for _, rows in self._socket.dump(self._list, self._whole_services)
            for row in rows
            if wanted(row)
        ]

    def put_back(self, service: SavedService) -> bool:
        """Add the service with its servers where it is not there; whether it was not.

        One that is there and has servers is somebody's again, and stays as it is.
        Raises SchedulerError, MissingServersError when all others are there, IpvsError.
        """
        key = service.key
        properties = [
            ["FLAGS", struct.pack("=II", service.flags & ~_HASHED, 0xFFFFFFFF)],
            ["TIMEOUT", service.persistent_timeout],
            ["NETMASK", service.netmask],
            *([["PE_NAME", service.engine]] if service.engine else []),
        ]
        doing = f"putting {key} back"
        try:
            self._write(netlink.NEW_SERVICE, doing, key, service.scheduler, properties)
        except netlink.ExistsError:
            identity = parse_service(key)
            if not service.servers or self._has_servers(identity):
                return False
        refused = []
        for server in service.servers:
            try:
                self._change(netlink.NEW_DEST, f"putting {server.address} of {key} back", key,
                             _attributes(server))  # fmt: skip
            except netlink.IpvsError as error:
                refused.append(str(error))
        if refused:
            raise MissingServersError("; ".join(refused))
        return True

    def _has_servers(self, identity: Identity) -> bool:
        batches = self._socket.dump(self._request(identity), self._servers)
        return any(rows for _, rows in batches)

    def _saved(self, row: Row) -> SavedService:
        identity = Identity(*row[:5])
        scheduler, flags, timeout, netmask, engine = row[5:10]
        batches = self._socket.dump(self._request(row[:5]), self._whole_servers)
        servers = [
            _server(family or identity.family, one) for family, rows in batches for one in rows
        ]
        return SavedService(
            service_key(identity),
            _text(scheduler),
            struct.unpack_from("=I", flags)[0] & ~_HASHED,
            timeout,
            netmask,
            _text(engine) if engine else "",
            tuple(reversed(servers)),  # the kernel lists the newest first
        )


def saved_from_proc(text: str, wanted: Callable[[Row], bool]) -> list[SavedService]:
    """What /proc/net/ip_vs tells of these services. Pure.

    How long persistence lasts is there in jiffies, whose length is not told: 0.
    """
    _, table = read_table(text)
    lines = map(str.split, text.splitlines())
    words = (line[2] for line in lines if line[:1] == ["->"] and line[2:3] != ["Forward"])
    found = []
    for row, batches in table:
        servers = [
            SavedServer(endpoint(family, *one[:2]), NUMBERS.get(next(words).lower(), 0), one[2])
            for family, rows in batches
            for one in rows
        ]
        if wanted(row):
            identity = Identity(*row[:5])
            found.append(
                SavedService(
                    service_key(identity),
                    _text(row[5]),
                    struct.unpack_from("=I", row[6])[0] & ~_HASHED,
                    netmask=128 if identity.family == AF_INET6 else 0xFFFFFFFF,
                    servers=tuple(reversed(servers)),
                    complete=False,
                )
            )
    return found


def _server(family: int, row: Row) -> SavedServer:
    address, port, forward, weight, upper, lower, kind, tunnel_port, flags = row
    return SavedServer(
        endpoint(family, address, port), forward, weight, upper, lower, kind, ntohs(tunnel_port),
        flags,
    )  # fmt: skip


def _attributes(server: SavedServer) -> list[Any]:
    family, raw, port = parse_endpoint(server.address)
    attributes: list[Any] = [
        ["ADDR", raw],
        ["PORT", port],
        ["ADDR_FAMILY", family],
        ["FWD_METHOD", server.forward],
        ["WEIGHT", server.weight],
        ["U_THRESH", server.upper],
        ["L_THRESH", server.lower],
    ]
    if server.tunnel_type:
        attributes += [
            ["TUN_TYPE", server.tunnel_type],
            ["TUN_PORT", htons(server.tunnel_port)],
            ["TUN_FLAGS", server.tunnel_flags],
        ]
    return ["DEST", {"attrs": attributes}]


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode()
