"""A run's requests as they end, and which real server each was given to.

An answer may name its server; else only the kernel knows it, and only for some seconds. Where
the kernel's list of connections is told (listed_connections.py), no more is asked for. Where it is
not, it is asked now and then while the run goes on, and once more at the end.
"""

from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ipvsload.record.format import NO_SERVER, ListedConnection, Request
from ipvsload.testbed.base import Observation

_ASK_AFTER_US = 4_000_000
"""Half the time that the kernel remembers a reset connection (10 s), and less."""
_KNOWN_AFTER_US = 2_000_000
"""A testbed may learn of a connection this much later than it was made."""

InBackground = Callable[[Callable[[], None]], None]
Record = Callable[[Sequence[Request]], None]


class FinishedRequests:
    """Hands requests on to `record` when their servers are known, or cannot be.

    `listed` says until when (µs) every connection has been told, so that nobody needs to be asked.
    `last_connection_us` and `last_end_us` are the times of the last new
    connection and of the last end of a request.
    """

    def __init__(
        self, record: Record, testbed: Observation, listed: Callable[[], int] = lambda: -1
    ) -> None:
        self._record = record
        self._testbed = testbed
        self._listed = listed
        self._unknown: list[Request] = []
        self._asked: list[Request] = []
        """Those about which the kernel is being asked just now."""
        self.any_unnamed = False
        """Whether some of those that were connected did not come with their server."""
        self.last_connection_us = 0
        self.last_end_us = 0

    def add(self, requests: Sequence[Request]) -> None:
        """These have ended."""
        self.last_end_us = max([self.last_end_us, *map(_end_us, requests)])
        made = [_end_us(r) if r.error else r.start_us for r in requests if not r.reused]
        self.last_connection_us = max([self.last_connection_us, *made])
        unknown = [r for r in requests if r.server is None and r.port]
        self.any_unnamed = self.any_unnamed or bool(unknown)
        if unknown:
            self._unknown += unknown
            requests = [r for r in requests if r.server is not None or not r.port]
        if requests:
            self._record(requests)

    @property
    def asking(self) -> bool:
        """Whether an answer is on its way."""
        return bool(self._asked)

    def ask_now_and_then(self, now_us: int, in_background: InBackground) -> None:
        """Ask the kernel for the servers of the requests that ended some time ago.

        That may take a while, so it is done in the background, once at a time.
        """
        self._pass_on_what_is_listed()
        due = self._unknown and now_us - _end_us(self._unknown[0]) > _ASK_AFTER_US
        if due and not self._asked and self._choose(now_us - _KNOWN_AFTER_US):
            in_background(self._ask)

    def ask_for_all(self) -> None:
        """Ask the kernel for the server of each request whose server is not known.

        Not while an answer is on its way.
        """
        self._pass_on_what_is_listed()
        if self._choose(self.last_end_us):
            self._ask()

    def _pass_on_what_is_listed(self) -> None:
        until_us = self._listed() if self._unknown else 0
        listed = [request for request in self._unknown if _end_us(request) <= until_us]
        if listed:
            self._unknown = [one for one in self._unknown if _end_us(one) > until_us]
            self._record(listed)

    def give_up(self) -> None:
        """Record the others without a server; an answer that comes later is dropped."""
        if requests := self._asked + self._unknown:
            self._record(requests)
        self._asked, self._unknown = [], []

    def _choose(self, until_us: int) -> bool:
        """Take those that ended by then; whether there are any."""
        self._asked = [request for request in self._unknown if _end_us(request) <= until_us]
        self._unknown = [request for request in self._unknown if _end_us(request) > until_us]
        return bool(self._asked)

    def _ask(self) -> None:
        # More may be added while the testbed is asked.
        asked = self._asked
        servers: Sequence[str | None] | None
        try:
            servers = self._testbed.connection_servers([(r.client, r.port) for r in asked])
        except BaseException:
            if self._asked is asked:
                self._unknown, self._asked = asked + self._unknown, []
            raise
        if self._asked is not asked:
            return
        self._asked = []
        if servers is not None:
            pairs = zip(asked, servers, strict=True)
            asked = [request._replace(server=server or NO_SERVER) for request, server in pairs]
        self._record(asked)


_Row = TypeVar("_Row", Request, ListedConnection)


def in_the_tables_words(
    record: Callable[[Sequence[_Row]], None], servers: Iterable[str]
) -> Callable[[Sequence[_Row]], None]:
    """`record`, for a service whose table has these servers.

    In a service at port 0 its servers stand at port 0, too, whatever port a
    connection went to; answers, and the kernel's list of connections, have that port.
    """
    names = {_host(server): server for server in servers if server.endswith(":0")}
    if not names:
        return record

    def named(rows: Sequence[_Row]) -> None:
        record(
            [
                row._replace(server=names.get(_host(row.server), row.server)) if row.server else row
                for row in rows
            ]
        )

    return named


def through_directors(record: Record, ports: Sequence[range]) -> Record:
    """`record`, with the number of each request's director, of which each has these ports."""
    if not ports:
        return record
    firsts = [one.start for one in ports]

    def numbered(requests: Sequence[Request]) -> None:
        # Port 0, where no connection was made, stands before the first.
        record([one._replace(director=bisect(firsts, one.port)) for one in requests])

    return numbered


def _host(server: str) -> str:
    return server.rpartition(":")[0]


def _end_us(request: Request) -> int:
    return request.planned_us + request.latency_us
