"""The services in the kernel's nat table of iptables, with the counters of their rules.

A rule's counter of packets is one of connections here: only the first packet of a
connection is shown to the nat table (net/netfilter/nf_nat_core.c, nf_nat_inet_fn).
The whole table comes by one system call, as iptables-save has it: include/uapi/linux/
netfilter_ipv4/ip_tables.h, struct ipt_getinfo, ipt_get_entries and ipt_entry.
"""

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from ipvsload.netfilter.iptables_rules import NAT_CHAIN
from ipvsload.netfilter.nat_service import NatEntry

BALANCER = "iptables"
_TABLES = "/proc/net/ip_tables_names"
_TABLE = b"nat"
_GET_INFO, _GET_ENTRIES = 64, 65  # IPT_SO_*
_INFO = struct.Struct("=32s13I")  # ..., num_entries, size
_HEAD = 40  # of struct ipt_get_entries: name[32], size, and padding
_ENTRY = struct.Struct("=4s4s8s32s32sHBB4xHHIQQ")  # struct ipt_ip, offsets, counters
_PART = struct.Struct("=H29sB")  # struct xt_entry_match and xt_entry_target
_TRIES = 5

_libc = ctypes.CDLL(None, use_errno=True)


class Rule(NamedTuple):
    """One rule, its target's jump as the offset of a chain's first rule (or -1)."""

    destination: bytes
    comment: str
    port: int
    """Of a match of a TCP destination port, in network order; 0 without."""
    jump: int
    translation: tuple[bytes, int] | None
    """The address and the port (network order) of a DNAT."""
    packets: int


def rules(table: bytes) -> Iterator[tuple[str, int, list[Rule]]]:
    """Each chain of its users: its name, the offset of its first rule, its rules.

    `table` is what IPT_SO_GET_ENTRIES gives, from the first entry on.
    """
    at, chain, began = 0, "", 0
    found: list[Rule] = []
    while at < len(table):
        _, destination, _, _, _, _, _, _, target_at, next_at, _, packets, _ = _ENTRY.unpack_from(
            table, at
        )
        _, name, revision = _PART.unpack_from(table, at + target_at)
        body = at + target_at + _PART.size
        kind = name.partition(b"\0")[0]
        if kind == b"ERROR":  # it begins a chain, and the last one ends the table
            if chain:
                yield chain, began, found
            chain = table[body : body + 32].partition(b"\0")[0].decode()
            began, found = at + next_at, []
        else:
            comment, port = _matches(table, at + _ENTRY.size, at + target_at)
            jump = struct.unpack_from("=i", table, body)[0] if not kind else -1
            translation = _translation(table, body, revision) if kind == b"DNAT" else None
            found.append(Rule(destination, comment, port, jump, translation, packets))
        at += next_at


def _matches(table: bytes, at: int, end: int) -> tuple[str, int]:
    """The comment, and the TCP destination port in network order."""
    comment, port = "", 0
    while at < end:
        size, name, _ = _PART.unpack_from(table, at)
        body = at + _PART.size
        kind = name.partition(b"\0")[0]
        if kind == b"comment":
            comment = table[body : at + size].partition(b"\0")[0].decode(errors="replace")
        elif kind == b"tcp":  # struct xt_tcp: spts[2], dpts[2]
            port = socket.htons(struct.unpack_from("=H", table, body + 4)[0])
        at += size
    return comment, port


def _translation(table: bytes, at: int, revision: int) -> tuple[bytes, int]:
    """Read struct nf_nat_ipv4_multi_range_compat, or nf_nat_range, whose addresses are longer."""
    address, port = (at + 8, at + 16) if revision == 0 else (at + 4, at + 36)
    return table[address : address + 4], struct.unpack_from("=H", table, port)[0]


def entries(table: bytes) -> list[NatEntry]:
    """The services that KUBE-SERVICES leads to."""
    chains = {began: (name, found) for name, began, found in rules(table)}
    by_name = dict(chains.values())
    servers: dict[str, list[tuple[bytes, int, int, int]]] = {}
    drawn = {
        rule.jump
        for name, found in by_name.items()
        if name.startswith("KUBE-SVC-")
        for rule in found
    }
    for began, (name, found) in chains.items():
        if name.startswith("KUBE-SEP-"):
            for rule in found:
                if rule.translation:
                    one = (*rule.translation, int(began in drawn), rule.packets)
                    servers.setdefault(rule.comment, []).append(one)
    return [
        NatEntry(
            BALANCER, rule.destination, rule.port, servers.get(rule.comment.partition(" ")[0], [])
        )
        for rule in by_name.get(NAT_CHAIN, ())
        if rule.jump in chains and rule.port
    ]


class IptablesTable:
    """Reads the table of this network namespace."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def read(self) -> list[NatEntry]:
        """The services now; none where nobody has used the table yet, which asking would make.

        Raises OSError, also where this process may not ask.
        """
        try:
            with open(_TABLES) as file:
                if _TABLE.decode() not in file.read().split():
                    return []
        except FileNotFoundError:
            return []
        if self._socket is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        for _ in range(_TRIES):
            *_, size = _INFO.unpack(self._get(_GET_INFO, _TABLE.ljust(_INFO.size, b"\0")))
            asked = struct.pack("=32sI4x", _TABLE, size) + bytes(size)
            try:
                return entries(self._get(_GET_ENTRIES, asked)[_HEAD:])
            except OSError as error:
                if error.errno != errno.EAGAIN:  # it has another size by now
                    raise
        return []

    def _get(self, option: int, asked: bytes) -> bytes:
        """Call getsockopt with a question, which Python's own cannot ask."""
        assert self._socket
        held = ctypes.create_string_buffer(asked, len(asked))
        length = ctypes.c_uint32(len(asked))
        done = _libc.getsockopt(
            self._socket.fileno(), socket.SOL_IP, option, held, ctypes.byref(length)
        )
        if done != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return held.raw
