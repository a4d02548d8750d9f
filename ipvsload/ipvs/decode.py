"""Bulk decoding of netlink's dumps, because decoding each attribute costs 80 times as much.

In one dump, messages of the same length nearly always have their attributes at
the same offsets. So the layout is learned from the first such message. A run of
messages is then compared with it in one operation (all their attribute headers
at once, as one big number under a mask), and unpacked by one `struct.Struct`. A
message of another layout fails the comparison, and its layout is learned too: no
message is ever read by a layout that is not its own. Pure: bytes in, tuples out.
"""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple  # dataclasses would bring inspect and ast: slow in a guest

Row = tuple[Any, ...]
"""What one message says, in the columns of its kind (SERVICE, SERVER below)."""
Batch = tuple[int, list[Row]]
"""The address family of real servers, or 0 where the kernel does not say it (before
3.18), and their rows."""
TableRows = list[tuple[Row, list[Batch]]]
"""Services, each with its real servers: what every reader of the table gives."""
Path = tuple[int, ...]

_NLMSG = struct.Struct("=IHHI")  # nlmsghdr without its last field, the port
_NLATTR = struct.Struct("=HH")
ATTRIBUTES = 20  # where they begin: after nlmsghdr and genlmsghdr or nfgenmsg
_FLAG_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR
_NOOP, _ERROR, _DONE, _FIRST_FAMILY = 1, 2, 3, 16
_TYPE = 0x3FFF  # NLA_TYPE_MASK
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_MAX_CACHED = 32  # masks and layouts, before starting over


class DecodeError(ValueError):
    """The kernel sent what it does not send: cut short, or without something."""


class InterruptedDumpError(Exception):
    """The table changed while it was dumped: read it again."""


class MessageKind(NamedTuple):
    """Which attributes one kind of message has for us, each by its path of numbers.

    A column of a row is the first of its paths that is there. Those in `raw` stay
    bytes; those in `optional` may be absent (then they are 0). `fixed` is an
    attribute with one value for all of a batch.
    """

    name: str
    columns: tuple[tuple[Path, ...], ...]
    raw: frozenset[int]
    """Numbers of columns, as in `optional`."""
    optional: frozenset[int] = frozenset()
    fixed: Path | None = None

    @property
    def nests(self) -> frozenset[Path]:
        """The attributes that have others in them."""
        paths = [path for column in self.columns for path in column]
        paths += [self.fixed] if self.fixed else []
        return frozenset(path[:length] for path in paths for length in range(1, len(path)))


def nested(nest: int, *numbers: int) -> tuple[tuple[Path, ...], ...]:
    """A column for each of these attributes in the attribute `nest`."""
    return tuple(((nest, number),) for number in numbers)


def _counters(nest: int) -> tuple[tuple[Path, ...], ...]:
    """Columns of IPVS's conns, inpkts, outpkts, inbytes and outbytes.

    STATS64 (12) has them, or STATS (10) where there is none (before 4.1).
    """
    return tuple(((nest, 12, number), (nest, 10, number)) for number in range(1, 6))


# Of IPVS: include/uapi/linux/ip_vs.h.
# ip_vs_genl_fill_service: AF, PROTOCOL, ADDR, PORT, FWMARK, SCHED_NAME, FLAGS, TIMEOUT
SERVICE = MessageKind(
    "service",
    (*nested(1, 1, 2, 3, 4, 5, 6, 7, 8), *_counters(1)),
    raw=frozenset({2, 5, 6}),
    optional=frozenset({1, 2, 3, 4}),
)
# ip_vs_genl_fill_dest: ADDR, PORT, WEIGHT, ACTIVE_, INACT_ and PERSIST_CONNS; ADDR_FAMILY
SERVER = MessageKind(
    "real server",
    (*nested(2, 1, 2, 4, 7, 8, 9), *_counters(2)),
    raw=frozenset({0}),
    fixed=(2, 11),
)


def attributes(
    data: bytes, at: int, end: int, nests: frozenset[Path], path: Path = ()
) -> Iterator[tuple[Path, int, int]]:
    """Yield (path, offset of the value, its size) of each attribute in data[at:end], depth first.

    Raises DecodeError on an attribute that does not fit.
    """
    while at < end:
        size, number = _NLATTR.unpack_from(data, at) if end - at >= 4 else (0, 0)
        if size < 4 or at + size > end:
            raise DecodeError(f"an attribute of {size} bytes at {at}, where {end - at} are left")
        here = (*path, number & _TYPE)
        yield here, at + 4, size - 4
        if here in nests:
            yield from attributes(data, at + 4, at + size, nests, here)
        at += size + 3 & ~3


class Layout:
    """The offsets in messages like this one, and what reads a run of them."""

    def __init__(self, kind: MessageKind, message: bytes) -> None:
        """Raises DecodeError where `message` lacks something or is cut short."""
        found: dict[Path, tuple[int, int]] = {}
        mask = bytearray(len(message))
        mask[0:8] = b"\xff" * 8  # length, type, flags
        mask[16:18] = b"\xff" * 2  # command, version; of nfnetlink: family, version
        for path, at, size in attributes(message, ATTRIBUTES, len(message), kind.nests):
            found[path] = at, size
            mask[at - 4 : at] = b"\xff" * 4
        self.length = len(message)
        self.fixed = 0
        if kind.fixed is not None and (fixed := found.get(kind.fixed)):
            at, size = fixed
            mask[at : at + size] = b"\xff" * size
            (self.fixed,) = struct.unpack_from("=" + self._code(kind, size), message, at)
        places: list[tuple[int, int, str, int]] = []
        for column, paths in enumerate(kind.columns):
            here = [one for one in paths if one in found]
            if here:
                at, size = found[here[0]]
                code = f"{size}s" if column in kind.raw else self._code(kind, size)
                places.append((at, size, code, column))
            elif column not in kind.optional:
                raise DecodeError(f"a {kind.name} message has no attribute {paths[0]}")
        text, at = "=", 0
        for offset, size, code, _ in sorted(places):
            text += f"{offset - at}x{code}"
            at = offset + size
        self._struct = struct.Struct(f"{text}{self.length - at}x")
        order = {column: i for i, (*_, column) in enumerate(sorted(places))}
        self._pick = [order.get(i, -1) for i in range(len(kind.columns))]
        # For real servers the wire's order is the wanted one.
        self._as_is = self._pick == list(range(len(kind.columns)))
        self._mask = bytes(mask)
        self._expected = bytes(a & b for a, b in zip(mask, message, strict=True))
        self._numbers: dict[int, tuple[int, int]] = {}

    @staticmethod
    def _code(kind: MessageKind, size: int) -> str:
        if size not in _CODES:
            raise DecodeError(f"a {kind.name} message has a number of {size} bytes")
        return _CODES[size]

    def fits(self, run: memoryview, count: int) -> bool:
        """Whether `run` is `count` messages of this layout, whatever their values are."""
        numbers = self._numbers.get(count)
        if numbers is None:
            if len(self._numbers) >= _MAX_CACHED:
                self._numbers.clear()
            numbers = self._numbers[count] = (
                int.from_bytes(self._mask * count, "little"),
                int.from_bytes(self._expected * count, "little"),
            )
        return int.from_bytes(run, "little") & numbers[0] == numbers[1]

    def rows(self, run: memoryview) -> list[Row]:
        """One row a message; the run must fit."""
        if self._as_is:
            return list(self._struct.iter_unpack(run))
        pick = self._pick
        return [
            tuple(row[i] if i >= 0 else 0 for i in pick) for row in self._struct.iter_unpack(run)
        ]


class Decoder:
    """Decodes the datagrams of one kind of dump; remembers the layouts that it has seen."""

    def __init__(self, kind: MessageKind) -> None:
        self._kind = kind
        self._layouts: dict[int, list[Layout]] = {}

    def feed(self, data: bytes | memoryview, sequence: int) -> tuple[list[Batch], bool]:
        """Decode one datagram: [(the fixed attribute or 0, rows)], and whether it ends the dump.

        Messages with another sequence number are skipped: they belong to an
        earlier dump that was given up. Raises DecodeError, InterruptedDumpError,
        and OSError with the number that the kernel answered.
        """
        view, at, end = memoryview(data), 0, len(data)
        batches: list[Batch] = []
        while at < end:
            if end - at < 16:
                raise DecodeError(f"{end - at} bytes where a netlink message should begin")
            length, type_, flags, number = _NLMSG.unpack_from(data, at)
            if length < 16 or at + length > end:
                raise DecodeError(f"a message of {length} bytes, where {end - at} are left")
            count = 1
            if number != sequence or type_ == _NOOP:
                pass
            elif flags & _FLAG_INTERRUPTED:
                raise InterruptedDumpError
            elif type_ in (_ERROR, _DONE):
                code = struct.unpack_from("=i", data, at + 16)[0] if length >= 20 else 0
                if code:
                    raise OSError(-code, "the kernel refused to list its table")
                return batches, True
            elif type_ < _FIRST_FAMILY or length < ATTRIBUTES:
                raise DecodeError(f"a message of type {type_} and {length} bytes in a dump")
            else:
                layout, count = self._match(view[at:], length)
                batches.append((layout.fixed, layout.rows(view[at : at + count * length])))
            at += length * count + 3 & ~3
        return batches, False

    def has_duplicates(self, batches: list[Batch]) -> bool:
        """Whether one address and port stands twice in one dump of real servers."""
        if self._kind is not SERVER:
            return False
        names = [row[:2] for _, rows in batches for row in rows]
        return len(set(names)) < len(names)

    def _match(self, rest: memoryview, length: int) -> tuple[Layout, int]:
        """The layout of the first message, and how many messages from there surely have it."""
        layouts = self._layouts.setdefault(length, [])
        most = len(rest) // length if length % 4 == 0 else 1
        for layout in layouts:
            count = most
            while count and not layout.fits(rest[: count * length], count):
                count //= 2
            if count:
                return layout, count
        if len(layouts) >= _MAX_CACHED:
            layouts.clear()
        layouts.append(Layout(self._kind, bytes(rest[:length])))
        return layouts[-1], 1
