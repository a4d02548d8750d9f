"""What a client sends, cut into requests by httptools."""

import httptools

from ipvsload.testbed.lab.httpbin import HttpRequest

MAX_REQUEST = 65_536
"""Longest request, with its body, in bytes; a longer one is refused."""


class RequestReader:
    """Of one connection, from the client at the address `peer`."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._found: list[HttpRequest] = []
        self._read = 0
        self.between = True
        """Whether nothing of a next request has come."""
        self.refused = False
        """Whether something came that is no request, and nothing can follow."""

    def feed(self, data: bytes) -> list[HttpRequest]:
        """The requests that these bytes end; sets `refused`."""
        found = self._found
        found.clear()
        self._read += len(data)
        try:
            self._parser.feed_data(data)
            self.refused = self._read > MAX_REQUEST
        except httptools.HttpParserUpgrade:
            # The request itself is answered; what follows it is not HTTP.
            self.refused = True
            found[-1] = found[-1]._replace(close=True)
        except httptools.HttpParserError:
            self.refused = True
        return found

    def close(self) -> None:
        """It is not used any more."""
        del self._parser  # which knows this object: a circle

    # From the parser

    def on_message_begin(self) -> None:
        self.between = False
        self._target = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_message_complete(self) -> None:
        self.between = True
        parser = self._parser
        close = not parser.should_keep_alive()
        self._read = 0
        self._found.append(
            HttpRequest(parser.get_method(), self._target, self._headers, self._peer, close)
        )
