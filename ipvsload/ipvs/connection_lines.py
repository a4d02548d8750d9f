"""Choosing a service's connections from pieces of /proc/net/ip_vs_conn, before any parsing.

A table may have a million lines of which some thousand concern us, so one regular
expression over a whole piece finds these, and addresses are parsed only of those that are
new. The lines are those of net/netfilter/ipvs/ip_vs_conn.c, ip_vs_conn_seq_show. Pure.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from ipvsload.ipvs.connections import endpoint_words, read_address
from ipvsload.ipvs.keys import Endpoint, join_endpoint

Ends = bytes
"""The client and the virtual address of a connection, as the file has them."""
ConnectionLine = tuple[Ends, bytes, bytes]
"""A connection's ends, its real server, and its state, all as the file has them."""
ConnectionRow = tuple[str, int, str, str, int]
"""Client's address and port, real server, state, and the service's port."""


class ServiceLines:
    """Finds the TCP connections to `services`; the address "" is any.

    A line with the client's port 0 is a persistence template and no connection
    (ip_vs_sched_persist).
    """

    def __init__(self, services: Iterable[Endpoint]) -> None:
        targets = [endpoint_words(*service) for service in services]
        virtual = "|".join(f"{host or '[^ ]+'} {port}" for host, port in targets)
        # "\nTCP " is looked for as a plain string, and only then the rest.
        self._find = re.compile(
            rf"\nTCP ([^ ]+ (?!0000)[^ ]+ (?:{virtual})) ([^ ]+ [^ ]+) ([^ \n]+)".encode()
        ).findall

    def find(self, lines: bytes) -> list[ConnectionLine]:
        """Those in a piece of the file that begins with the end of the line before."""
        found: list[ConnectionLine] = self._find(lines)
        return found


class ToldConnections:
    """Which connections of one reading after the other have not been told yet.

    While a table is read, its kernel may show an entry twice (newer ones, in a table that is
    resized) or miss one (older ones count their way to the next page, and an entry that
    vanished before it shifts all by one). So one that lacks in a single reading is not
    forgotten, and one that lacks in two readings is gone: when it comes again, it is another.
    Between the same ends, another real server is another connection at once.
    """

    def __init__(self) -> None:
        self._now: dict[Ends, bytes] = {}
        self._last: dict[Ends, bytes] = {}
        self._older: dict[Ends, bytes] = {}
        self._servers: dict[bytes, bytes] = {}

    def take(self, lines: Iterable[ConnectionLine]) -> list[ConnectionLine]:
        """Those that are new.

        Of two between the same ends in one reading the first counts: the kernel puts a new
        entry before others (ip_vs_conn_hash).
        """
        new: list[ConnectionLine] = []
        now, last, servers = self._now, self._last, self._servers
        for line in lines:
            ends, server, _ = line
            if ends in now:
                continue
            # The same object for each connection of a server: a table may have a million.
            now[ends] = server = servers.setdefault(server, server)
            known = last.get(ends) or self._older.get(ends)
            if known != server:
                new.append(line)
        return new

    def take_beginnings(self, lines: Iterable[ConnectionLine]) -> list[ConnectionLine]:
        """The same of connections as they began, where the last one between two ends counts."""
        new: list[ConnectionLine] = []
        for line in lines:
            ends, server, _ = line
            known = self._now.get(ends) or self._last.get(ends) or self._older.get(ends)
            self._now[ends] = server = self._servers.setdefault(server, server)
            if known != server:
                new.append(line)
        return new

    def end_reading(self) -> None:
        """All of the table has been taken once more."""
        self._older, self._last, self._now = self._last, self._now, {}


def connection_row(line: ConnectionLine) -> ConnectionRow:
    """The line in words that people read."""
    ends, server, state = line
    client, port, _, service_port = ends.split(b" ")
    return _host(client), int(port, 16), _endpoint(server), state.decode(), int(service_port, 16)


@lru_cache(maxsize=4096)
def _host(word: bytes) -> str:
    return read_address(word.decode())


@lru_cache(maxsize=4096)
def _endpoint(words: bytes) -> str:
    host, port = words.split(b" ")
    return join_endpoint(_host(host), int(port, 16))
