"""Arrivals that were written down: a file with one line for each, in the order of their times.

CSV, whose first line names the columns, or one JSON object a line with the same names:
`offset` (seconds after the class has started) or `time` (seconds of any clock; the first is
the start), and possibly `path` and `work` (seconds). A trace is read line by line, and never
kept whole.
"""

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, NoReturn

from ipvsload.errors import UsageError
from ipvsload.scenario.duration import MAX_SECONDS
from ipvsload.scenario.words import hint, quoted
from ipvsload.scenario.work import MOST_SECONDS

COLUMNS = ("offset", "time", "path", "work")
MAX_LINE = 8192
"""The longest line, in bytes."""
_PATH = re.compile(r"/[!-~]{0,1999}")


class TraceError(UsageError):
    """A line of a file that is not what it should be; the text has the line's number."""

    prefix = ""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}:{line}: {reason}")


class TraceRow(NamedTuple):
    """One arrival: seconds after the start; its path and its work in seconds, where given."""

    seconds: float
    path: str | None = None
    work: float | None = None


class Trace:
    """The arrivals of a trace, to be iterated over once. Both raise TraceError.

    Args:
        name: the file's name in messages.
        lines: its lines, each with its end; one that is longer than `MAX_LINE` has none.
    """

    def __init__(self, name: str, lines: Iterable[bytes]) -> None:
        self._name = name
        self._lines = iter(lines)
        self._line = 0
        first = next(self._lines, b"")
        if not first.strip():
            self._refuse("the file is empty; it needs a line for each arrival", 1)
        self._is_json = first.lstrip().startswith(b"{")
        if self._is_json:
            self._lines = chain([first], self._lines)
            names = list(self._object(self._text(first, 1), 1))
        else:
            self._line = 1
            names = [name.strip() for name in self._text(first, 1).split(",")]
        self.columns: tuple[str, ...] = tuple(names)
        """What each line says."""
        self._check_columns()

    def __iter__(self) -> Iterator[TraceRow]:
        """Yield them in the order of their times."""
        clock = "time" if "time" in self.columns else "offset"
        at, path_at, work_at = map(self._place, (clock, "path", "work"))
        origin, last = (0.0 if clock == "offset" else math.nan), 0.0
        path = work = None
        for data in self._lines:
            self._line += 1
            values = self._values(self._text(data, self._line))
            time = self._number(values[at], clock)
            if origin != origin:
                origin = time
            seconds = time - origin
            if seconds < 0:
                self._refuse(f"{-seconds:g} s before the start")
            if seconds < last:
                self._refuse(f"{last - seconds:g} s before the line above it; sort the file")
            if seconds > MAX_SECONDS:
                self._refuse(f"{seconds:g} s after the start, and a class may last for 24 h")
            last = seconds
            if path_at >= 0:
                path = str(values[path_at])
                if not _PATH.fullmatch(path):
                    self._refuse(f"expected a path such as /index.html, found {quoted(path)}")
            if work_at >= 0:
                work = self._number(values[work_at], "work")
                if work < 0:
                    self._refuse(f"the work is less than 0: {work:g}")
                work = min(work, MOST_SECONDS)
            yield TraceRow(seconds, path, work)

    # Inside

    def _refuse(self, reason: str, line: int | None = None) -> NoReturn:
        raise TraceError(self._name, line or self._line, reason) from None

    def _place(self, column: str) -> int:
        return self.columns.index(column) if column in self.columns else -1

    def _check_columns(self) -> None:
        for name in self.columns:
            if name not in COLUMNS:
                reason = f"unknown column {quoted(name)}; {hint(name, COLUMNS, 'columns')}"
                self._refuse(reason, 1)
            if self.columns.count(name) > 1:
                self._refuse(f"the column '{name}' is there twice", 1)
        if ("time" in self.columns) == ("offset" in self.columns):
            self._refuse("one column is needed of 'offset' and 'time', which say when", 1)

    def _text(self, data: bytes, line: int) -> str:
        if len(data) > MAX_LINE:
            self._refuse(f"a line of more than {MAX_LINE} bytes", line)
        try:
            return data.decode("utf-8-sig" if line == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            self._refuse("not text in UTF-8", line)

    def _object(self, text: str, line: int) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            self._refuse("not a JSON object", line)
        if not isinstance(value, dict):
            self._refuse("not a JSON object", line)
        return value

    def _values(self, text: str) -> list[Any]:
        if self._is_json:
            found = self._object(text, self._line)
            if found.keys() != set(self.columns):
                self._refuse(f"expected {', '.join(self.columns)}, as in the first line")
            return [found[name] for name in self.columns]
        values = next(csv.reader([text])) if '"' in text else text.split(",")
        if len(values) != len(self.columns):
            reason = f"expected {len(self.columns)} values ({','.join(self.columns)}), found"
            self._refuse(f"{reason} {len(values) if text else 'nothing'}")
        return values

    def _number(self, value: object, column: str) -> float:
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number):
            self._refuse(f"'{column}': expected seconds, found {quoted(str(value))}")
        return number
