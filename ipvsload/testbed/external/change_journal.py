"""What a run changes on somebody's director, written down on this machine before it is changed.

A file for each virtual service, of JSON lines that are only appended, each of them
on the disk (fsync) before the change that it tells of. So whatever ends the run, a
SIGKILL or a power cut, the file has all that it changed, and how that is put back.

The file is the lock, too (flock): the kernel lets go of it when the process ends,
so neither a process id that is used again nor one of another namespace deceives.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple

from ipvsload.errors import TestbedError
from ipvsload.testbed.external.run_owner import RunOwner
from ipvsload.user_files import user_state

_VERSION = 1


@dataclass(frozen=True, slots=True)
class DirectorHead:
    """The first line: whose run it is, of which service, and what reads and changes that.

    `node` and `table` are what the sidecar says of itself; see Hello. The commands
    are as their owner wrote them, and run in `directory`. `persistent_timeout` is
    the service's, in seconds.
    """

    owner: RunOwner
    node: str
    table: str
    key: str
    sidecar: str
    set_scheduler: str
    set_weight: str
    directory: str
    persistent_timeout: int


class Change(NamedTuple):
    """One thing that was changed: the scheduler where `server` is "", or a server's weight."""

    server: str = ""

    def __str__(self) -> str:
        return f"weight of {self.server}" if self.server else "scheduler"


@dataclass(slots=True)
class ChangeState:
    """`before` is the first value, `ours` what was set since; texts, as commands take them.

    `begun_s` is the unix time of the last command, and `ended` whether it has
    ended. One that has not may still be at work when its run is gone.
    """

    before: str
    ours: list[str] = field(default_factory=list)
    begun_s: float = 0.0
    ended: bool = True


class HeldError(TestbedError):
    """Another process has the director."""


class ChangeJournal:
    """A journal that this process holds, until `close`.

    `pending` is what is changed and not put back. Raises TestbedError where the
    file cannot be written or is none of ours, HeldError where a process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: DirectorHead | None = None
        self.pending: dict[Change, ChangeState] = {}
        with _told(path):
            self._file = _locked(path)
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def begin(self, head: DirectorHead) -> None:
        """Write the head of a journal in which nothing is pending. Raises TestbedError."""
        self.head, self.pending = head, {}
        with _told(self.path):
            self._file.truncate(0)
            self._append({"ipvsload": "changes", "version": _VERSION, **asdict(head)})
            # So that a new file's name is on the disk, too.
            for folder in (self.path.parent, self.path.parent.parent):
                _sync(folder)

    def changing(self, change: Change, before: str, to: str, now_s: float) -> None:
        """Write down a change that is about to be made. Raises TestbedError."""
        line = {"change": [*change], "before": before, "to": to, "at": now_s}
        with _told(self.path):
            self._append(line)
        self._take(line)

    def changed(self, change: Change) -> None:
        """Its command has ended, well or not. Raises TestbedError."""
        self._write({"changed": [*change]})

    def settled(self, change: Change) -> None:
        """Nothing is left to be put back of this. Raises TestbedError."""
        self._write({"settled": [*change]})

    def close(self) -> None:
        """Let go of it. Where nothing is pending, nothing is left. Safe to call twice."""
        if self._file.closed:
            return
        if self.head is None or not self.pending:
            with suppress(OSError):
                self.path.unlink()
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        with _told(self.path):
            self._append(line)
        self._take(line)

    def _append(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> None:
        """Raises TestbedError for a file of another program or version."""
        try:
            *lines, cut_short = self._file.read().split("\n")
            for line in map(json.loads, lines):
                if self.head is None:
                    self.head = _head(line)
                else:
                    self._take(line)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TestbedError(
                f"{self.path} is not a journal that this version can read: look at it, put back"
                " by hand what it names, and remove it"
            ) from None
        if cut_short:
            # Nothing had been done of it, and the next line must not stand behind it.
            with _told(self.path):
                self._file.truncate(sum(len(line.encode()) + 1 for line in lines))

    def _take(self, line: dict[str, Any]) -> None:
        if "change" in line:
            change = Change(*line["change"])
            state = self.pending.setdefault(change, ChangeState(line["before"]))
            state.ours.append(line["to"])
            state.begun_s, state.ended = float(line["at"]), False
        elif "changed" in line:
            self.pending[Change(*line["changed"])].ended = True
        elif "settled" in line:
            self.pending.pop(Change(*line["settled"]), None)


def journal_directory() -> Path:
    """Where the journals of this user are: `directors` in the place for what must be known later.

    Raises TestbedError where a user without a home does not say it.
    """
    state = user_state()
    if state is None:
        raise TestbedError(
            "what is changed on a director is written down before, and this user has no home"
            " directory: name a directory for it in XDG_STATE_HOME"
        )
    return state / "directors"


def journal_path(node: str, table: str, key: str) -> Path:
    """The file for this service of this director."""
    words = re.sub(r"[^A-Za-z0-9.]+", "-", f"{node} {key}").strip("-")
    mark = sha256(f"{node}\0{table}\0{key}".encode()).hexdigest()[:8]
    return journal_directory() / f"{words}-{mark}.ndjson"


def journal_paths() -> list[Path]:
    """The files that there are; none where there is no place for them. Raises TestbedError."""
    try:
        directory = journal_directory()
    except TestbedError:
        return []
    with _told(directory):
        try:
            return sorted(path for path in directory.iterdir() if path.suffix == ".ndjson")
        except (FileNotFoundError, NotADirectoryError):
            return []


def _locked(path: Path) -> IO[str]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        # Commands may have passwords in them.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        file = os.fdopen(descriptor, "r+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeldError(_holder(file)) from None
        except OSError:
            file.close()
            raise
        with suppress(FileNotFoundError):
            # Whoever had it before may have removed it at this moment.
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _holder(file: IO[str]) -> str:
    with file:
        try:
            head = _head(json.loads(file.readline()))
            return f"{head.key} on {head.node} is held by {head.owner.words()}"
        except (ValueError, KeyError, TypeError):  # it is just being begun
            return "the other one has just begun"


def _head(line: dict[str, Any]) -> DirectorHead:
    if line.pop("ipvsload") != "changes" or line.pop("version") != _VERSION:
        raise ValueError
    return DirectorHead(**{**line, "owner": RunOwner(**line["owner"])})


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TestbedError(
            f"what is changed on a director is written down before, and {error.filename or path}"
            f" cannot be used: {error.strerror}; XDG_STATE_HOME may name another directory"
        ) from None
