"""The directory that an export goes to.

A list in it says which of its files an export made. So an export can be made again over an
earlier one, and never over anything else.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipvsload.errors import UsageError

MADE = "export.json"
"""The list of what was made."""


class ExportFolder:
    """Makes the directory, or takes it if it is empty or an earlier export's. Raises UsageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._made = self._earlier()
        except (FileExistsError, NotADirectoryError):
            raise UsageError(f"{path}: this is a file: name a directory with --out") from None
        except OSError as error:
            raise self._failure(path, error) from None

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """Give the path to write file `name` to; it gets its name when the block ends in order.

        Raises UsageError where there is such a file that no export made, and where it cannot be
        written.
        """
        path = self.path / name
        written = path.with_name(f".{path.name}.{os.getpid()}")
        if path.exists() and name not in self._made:
            raise UsageError(
                f"{path}: no export made this file, and it is not overwritten:"
                " name another directory with --out"
            )
        try:
            path.parent.mkdir(exist_ok=True)
            try:
                yield written
                self._add(name)
                written.replace(path)
            finally:
                written.unlink(missing_ok=True)
        except OSError as error:
            raise self._failure(path, error) from None

    def _earlier(self) -> set[str]:
        try:
            return set(json.loads((self.path / MADE).read_bytes())["files"])
        except FileNotFoundError:
            if any(self.path.iterdir()):
                raise UsageError(
                    f"{self.path}: there is something in this directory that no export made:"
                    " name one that is new or empty with --out"
                ) from None
            return set()
        except (KeyError, TypeError, ValueError):
            raise UsageError(
                f"{self.path / MADE}: this is no list of an export:"
                " name another directory with --out"
            ) from None

    def _add(self, name: str) -> None:
        if name in self._made:
            return
        self._made.add(name)
        written = self.path / f".{MADE}.{os.getpid()}"
        written.write_text(json.dumps({"ipvsload": "export", "files": sorted(self._made)}) + "\n")
        written.replace(self.path / MADE)

    def _failure(self, path: Path, error: OSError) -> UsageError:
        return UsageError(
            f"{path}: cannot write: {error.strerror or error} (--out DIR writes elsewhere)"
        )
