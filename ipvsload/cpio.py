"""Archives that the kernel unpacks at boot (Documentation/driver-api/early-userspace).

An initramfs is one or more of these, one after the other: the director image
has its own, and the lab appends another with this checkout's code. Pure.
"""

import stat
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

_END = "TRAILER!!!"
_HEAD = 6 + 13 * 8


class Entry(NamedTuple):
    """A file or directory: path without a leading /, file type and permissions, content."""

    path: str
    mode: int
    data: bytes = b""


def file(path: str, data: bytes, permissions: int = 0o644) -> Entry:
    """A regular file."""
    return Entry(path, stat.S_IFREG | permissions, data)


def archive(entries: Iterable[Entry]) -> bytes:
    """The "newc" archive of `entries` and of the directories that they are in.

    All belongs to root and is dated 1970, so equal entries make equal bytes. The
    length is a multiple of 4, so another archive can follow.
    """
    wanted = {entry.path: entry for entry in entries}
    for path in list(wanted):
        for parent in PurePosixPath(path).parents:
            if parent.name:
                wanted.setdefault(str(parent), Entry(str(parent), stat.S_IFDIR | 0o755))
    # Parents sort before what is in them.
    parts = [_record(number + 1, wanted[path]) for number, path in enumerate(sorted(wanted))]
    return b"".join([*parts, _record(0, Entry(_END, 0))])


def _record(inode: int, entry: Entry) -> bytes:
    name = entry.path.encode() + b"\0"
    # inode mode uid gid links mtime size device(2) special device(2) name's length, checksum
    fields = (inode, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(head + name) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def entries(data: bytes) -> Iterator[Entry]:
    """What is in the "newc" archive at the start of `data`.

    The last entry has no path, and its data is what follows the archive, without
    zeros before it: the next archive, perhaps compressed. Raises ValueError when
    `data` is no such archive or is cut short.
    """
    at = 0
    while data[at : at + 6] in (b"070701", b"070702") and at + _HEAD <= len(data):
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + _HEAD : at + _HEAD + name_size - 1].decode(errors="surrogateescape")
        begin = _after(at + _HEAD + name_size)
        at = _after(begin + size)
        if begin + size > len(data):
            break
        if name == _END:
            yield Entry("", 0, data[at:].lstrip(b"\0"))
            return
        yield Entry(name.removeprefix("./").removeprefix("/"), mode, data[begin : begin + size])
    raise ValueError("not a cpio archive, or cut short")


def _after(position: int) -> int:
    return position + -position % 4
