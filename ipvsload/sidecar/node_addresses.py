"""The addresses of this network namespace's devices.

kube-proxy's IPVS mode binds the addresses of Services to a device of its own;
the others are the node's, where its node ports are.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

from ipvsload.ipvs.decode import attributes
from ipvsload.ipvs.keys import host_of

PROXY_DEVICE = "kube-ipvs0"
"""defaultDummyDevice in pkg/proxy/ipvs/proxier.go."""
_GET, _ROUTE, _DUMP = 22, 0, 0x301  # RTM_GETADDR, NETLINK_ROUTE, NLM_F_REQUEST and NLM_F_DUMP
_NEW, _DONE, _ERROR = 20, 3, 2
_HEADER, _ADDRESS = struct.Struct("=IHHII"), struct.Struct("=BBBBI")  # ifaddrmsg
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_BUFFER = 1 << 16
_TIMEOUT = 5.0


def node_addresses() -> tuple[frozenset[str], frozenset[str]]:
    """(those of kube-proxy's own device, all others). Raises OSError."""
    proxy: set[str] = set()
    node: set[str] = set()
    for index, address in _every():
        name = ""
        with suppress(OSError):  # it has gone
            name = socket.if_indextoname(index)
        (proxy if name == PROXY_DEVICE else node).add(address)
    return frozenset(proxy), frozenset(node)


def _every() -> Iterator[tuple[int, str]]:
    """Yield (index of the device, address)."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _ROUTE) as route:
        route.settimeout(_TIMEOUT)
        size = _HEADER.size + _ADDRESS.size
        route.send(_HEADER.pack(size, _GET, _DUMP, 1, 0) + _ADDRESS.pack(0, 0, 0, 0, 0))
        while True:
            data, at = route.recv(_BUFFER), 0
            while at < len(data):
                length, kind, *_ = _HEADER.unpack_from(data, at)
                if kind in (_DONE, _ERROR):
                    return
                if kind == _NEW:
                    yield _address(data, at + _HEADER.size, at + length)
                at += length + 3 & ~3


def _address(data: bytes, at: int, end: int) -> tuple[int, str]:
    family, _, _, _, index = _ADDRESS.unpack_from(data, at)
    start = at + _ADDRESS.size
    found = {
        path[0]: data[value : value + size]
        for path, value, size in attributes(data, start, end, frozenset())
    }
    # Of a point-to-point device, IFA_ADDRESS is the other end (if_addr.h).
    return index, host_of(family, found.get(_IFA_LOCAL) or found[_IFA_ADDRESS])
