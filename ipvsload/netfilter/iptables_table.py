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
from ipvsload.netfilter.used_rules import NAT, iptables_are_used

BALANCER = "iptables"
_GET_INFO, _GET_ENTRIES = 64, 65  # IPT_SO_*
_INFO = struct.Struct("=32s13I")  # ..., num_entries, size
_HEAD = 40  # of struct ipt_get_entries: name[32], size, and padding
_ENTRY = struct.Struct("=4s4s8s32s32sHBB4xHHIQQ")  # struct ipt_ip, offsets, counters
_PART = struct.Struct("=H29sB")  # struct xt_entry_match and xt_entry_target
_COUNTERS_AT, _COUNTERS = 96, 16
_COUNTER = struct.Struct("=Q")
_TRIES = 5
_PIECE = 1 << 14
"""Memory of this size is used again and again; larger pieces are mapped anew each time, and in
user-mode Linux touching a page for the first time takes as long as comparing it a hundred times."""

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
    counter_at: int
    """The offset of its counter of packets."""


def rules(table: bytes) -> Iterator[tuple[str, int, list[Rule]]]:
    """Each chain of its users: its name, the offset of its first rule, its rules.

    `table` is what IPT_SO_GET_ENTRIES gives, from the first entry on.
    """
    at, chain, began = 0, "", 0
    found: list[Rule] = []
    while at < len(table):
        _, destination, _, _, _, _, _, _, target_at, next_at, *_ = _ENTRY.unpack_from(table, at)
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
            found.append(Rule(destination, comment, port, jump, translation, at + _COUNTERS_AT))
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


class KnownTable:
    """A table that has been taken apart: the next reading mostly differs in counters only.

    With a thousand servers taking it apart takes twenty times as long as the comparison.
    """

    def __init__(self, table: bytes) -> None:
        mask = bytearray(b"\xff" * len(table))
        at = 0
        while at < len(table):
            mask[at + _COUNTERS_AT : at + _COUNTERS_AT + _COUNTERS] = bytes(_COUNTERS)
            at += _ENTRY.unpack_from(table, at)[9]
        self._length = len(table)
        self._pieces = [
            (at, piece := int.from_bytes(mask[at : at + _PIECE], "little"),
             int.from_bytes(table[at : at + _PIECE], "little") & piece)
            for at in range(0, len(table), _PIECE)
        ]  # fmt: skip
        self._services = _services(table)

    def fits(self, table: bytes | memoryview) -> bool:
        """Whether `table` is the same but for its counters."""
        return len(table) == self._length and all(
            int.from_bytes(table[at : at + _PIECE], "little") & mask == expected
            for at, mask, expected in self._pieces
        )

    def entries(self, table: bytes | memoryview) -> list[NatEntry]:
        """The services that KUBE-SERVICES leads to; the table must fit."""
        return [
            NatEntry(
                BALANCER,
                address,
                port,
                [
                    (*one, _COUNTER.unpack_from(table, counter_at)[0])
                    for *one, counter_at in servers
                ],
            )
            for address, port, servers in self._services
        ]


def _services(table: bytes) -> list[tuple[bytes, int, list[tuple[bytes, int, int, int]]]]:
    """Address, port and servers of each: (address, port, weight, offset of its counter)."""
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
                    one = (*rule.translation, int(began in drawn), rule.counter_at)
                    servers.setdefault(rule.comment, []).append(one)
    return [
        (rule.destination, rule.port, servers.get(rule.comment.partition(" ")[0], []))
        for rule in by_name.get(NAT_CHAIN, ())
        if rule.jump in chains and rule.port
    ]


class IptablesTable:
    """Reads the table of this network namespace."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._known: KnownTable | None = None
        self._held = ctypes.create_string_buffer(_HEAD)

    def read(self) -> list[NatEntry]:
        """The services now; none where nobody has used the table yet, which asking would make.

        Raises OSError, also where this process may not ask.
        """
        if not iptables_are_used():
            return []
        if self._socket is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        for _ in range(_TRIES):
            info = ctypes.create_string_buffer(NAT.encode(), _INFO.size)
            self._get(_GET_INFO, info)
            *_, size = _INFO.unpack(info)
            if len(self._held) != _HEAD + size:
                self._held = ctypes.create_string_buffer(_HEAD + size)
            struct.pack_into("=32sI4x", self._held, 0, NAT.encode(), size)
            try:
                self._get(_GET_ENTRIES, self._held)
            except OSError as error:
                if error.errno != errno.EAGAIN:  # it has another size by now
                    raise
                continue
            table = memoryview(self._held).cast("B")[_HEAD:]
            if self._known is None or not self._known.fits(table):
                self._known = KnownTable(bytes(table))
            return self._known.entries(table)
        return []

    def _get(self, option: int, held: "ctypes.Array[ctypes.c_char]") -> None:
        """Call getsockopt with a question, which Python's own cannot ask."""
        assert self._socket
        length = ctypes.c_uint32(len(held))
        done = _libc.getsockopt(
            self._socket.fileno(), socket.SOL_IP, option, held, ctypes.byref(length)
        )
        if done != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
