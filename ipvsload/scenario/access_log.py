"""Lines of web servers' access logs, and when their requests came.

Read are the common and the combined log format (Apache, nginx, HAProxy's and many others'
copies of them), with nginx's `$request_time` behind them, plain or as `rt=` and
`request_time=`, and with a time in ISO 8601 instead of the common one.
"""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import heappop, heappush
from itertools import groupby
from typing import NamedTuple

from ipvsload.errors import UsageError
from ipvsload.scenario.trace import TraceRow

WINDOW = 10_000
"""How many lines a log may be out of order."""

_LINE = re.compile(
    r"(?:\S+ \S+ .*?)?\[?(?P<time>\d{1,2}/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\]?"
    r'.*?"(?P<method>[A-Z]+) (?P<path>\S+)(?: HTTP/[\d.]+)?" (?P<status>\d{3})\b(?P<rest>.*)'
)
_NAMED = re.compile(r"\b(?:rt|request_time)=\"?(\d+(?:\.\d+)?)")
_LAST = re.compile(r'(?:"|\s)(\d+\.\d{3})$')
_MAX_LINE = 65_536
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PATH = re.compile(r"/[!-~]{0,1999}")


class LoggedRequest(NamedTuple):
    """A request of a log.

    `time` is Unix time in seconds; `whole` says that the log has whole seconds only.
    `took` is its length in seconds, None where the log does not say.
    """

    time: float
    whole: bool
    method: str
    path: str
    took: float | None


def read_line(line: str) -> LoggedRequest | None:
    """The request of a line; None where it is not understood."""
    found = _LINE.match(line.strip()) if len(line) <= _MAX_LINE else None
    if found is None or not _PATH.fullmatch(found["path"]):
        return None
    time = _time(found["time"])
    if time is None:
        return None
    timed = _NAMED.search(found["rest"]) or _LAST.search(found["rest"])
    took = float(timed[1]) if timed else None
    return LoggedRequest(time, time == int(time), found["method"], found["path"], took)


def _time(text: str) -> float | None:
    try:
        if text[4:5] == "-":
            return datetime.fromisoformat(text.replace(",", ".").replace("Z", "+00:00")).timestamp()
        day, month, rest = text.split("/")
        when = f"{rest[:4]}-{_MONTHS.index(month) + 1:02}-{int(day):02}T{rest[5:13]}{rest[14:]}"
        return datetime.fromisoformat(when).timestamp()
    except ValueError:
        return None


_Timed = tuple[float, str, float | None]
"""A time, a path, and the length where it is known."""


class LogTrace:
    """The arrivals of a log, in the order of their times: iterate over it once.

    Requests whose length is known are logged when they end, so it is taken off. Where the
    log has whole seconds only, those of a second are put at even distances in it. Lines may
    be out of order by up to `WINDOW` lines; raises UsageError beyond that.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.not_get = 0
        self.not_understood: list[int] = []
        """The numbers of the first such lines, of which there are `others` more."""
        self.others = 0
        self.whole = True
        """Whether the log has whole seconds only, as far as it was read."""
        self.has_work = False
        """Whether it says how long requests took; as its first request does, all must."""
        self._read_one = False
        self._lines = lines

    def __iter__(self) -> Iterator[TraceRow]:
        """See the class."""
        first = None
        for time, path, took in _in_order(self._at_their_starts()):
            first = time if first is None else first
            yield TraceRow(time - first, path, took)

    def _at_their_starts(self) -> Iterator[_Timed]:
        logged = _in_order(self._requests())
        for _second, group in groupby(logged, key=lambda one: math.floor(one[0])):
            together = list(group)
            spread = self.whole and len(together) > 1
            for place, (time, path, took) in enumerate(together):
                at = time + place / len(together) if spread else time
                yield at - (took or 0.0), path, took

    def _requests(self) -> Iterator[_Timed]:
        for number, line in enumerate(self._lines, 1):
            if not line.strip():
                continue
            found = read_line(line)
            if found is not None and found.method != "GET":
                self.not_get += 1
                continue
            if found is None or (self.has_work and found.took is None):
                self._skip(number)
                continue
            if not self._read_one:
                self.has_work, self._read_one = found.took is not None, True
            self.whole = self.whole and found.whole
            yield found.time, found.path, found.took if self.has_work else None

    def _skip(self, number: int) -> None:
        if len(self.not_understood) < 3:
            self.not_understood.append(number)
        else:
            self.others += 1


def _in_order(requests: Iterable[_Timed]) -> Iterator[_Timed]:
    """Sort what is out of order by up to WINDOW places."""
    waiting: list[tuple[float, int, _Timed]] = []
    last = -math.inf
    for number, one in enumerate(requests):
        heappush(waiting, (one[0], number, one))
        if len(waiting) > WINDOW:
            time, _, first = heappop(waiting)
            if time < last:
                raise UsageError(
                    f"a request is more than {WINDOW} lines out of order; sort the log by its times"
                )
            last = time
            yield first
    while waiting:
        yield heappop(waiting)[2]
