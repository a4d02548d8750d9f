"""Answers that are known, because the same bytes asked for them a moment before.

The requests of a load are mostly the same bytes again and again, each for itself on a
connection. An answer says the time of day and who asked, so it is known for that second, server
and client, and need not be made anew.
"""

import time

from ipvsload.testbed.lab.httpbin import HttpAnswer, HttpRequest

_MOST = 4_096
_LONGEST = 1_024

Known = tuple[HttpRequest, HttpAnswer]


class KnownAnswers:
    """The answers of this second, by the bytes that asked, the server and the client's address."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str, str], Known] = {}
        self._second = 0

    def find(self, data: bytes, server: str, peer: str) -> Known | None:
        """The request and the answer, if it is known by now."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._known.clear()
            return None
        return self._known.get((data, server, peer))

    def keep(self, data: bytes, server: str, peer: str, known: Known) -> None:
        """These bytes are one whole request, which was answered so just now."""
        if len(data) <= _LONGEST and len(self._known) < _MOST:
            self._known[data, server, peer] = known
