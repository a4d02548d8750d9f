"""What the lab's real servers answer: those pages of httpbin that are used.

A pure function from a request to the bytes of its answer. Bodies have
httpbin's fields and layout (sorted keys, two spaces, a final newline), so
that what was written for httpbin works in the lab.
"""

import json
import math
import time
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

MAX_DELAY = 60.0
"""Longest /delay in seconds; a longer one is shortened to it (httpbin's limit is 10)."""

_JSON = "application/json"
_HTML = "text/html; charset=utf-8"


class HttpRequest(NamedTuple):
    """A request, as the pages see it; headers in the order of their arrival."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    peer: str
    close: bool


class HttpAnswer(NamedTuple):
    """The answer's bytes, to be sent after `delay` seconds."""

    data: bytes
    delay: float = 0.0


def answer(request: HttpRequest, server: str) -> HttpAnswer:
    """Answer as httpbin would, for the real server of this name."""
    method, target, _, peer, close = request
    path, _, query = target.partition(b"?")
    if method not in (b"GET", b"HEAD"):
        data = _message(405, "", _HTML, server, close, "Allow: GET, HEAD\r\n")
    elif path == b"/ip":
        data = _message(200, _pretty({"origin": peer}), _JSON, server, close)
    elif path == b"/headers":
        data = _message(200, _pretty({"headers": _headers(request)}), _JSON, server, close)
    elif path == b"/get":
        body = _about(request, path, query)
        data = _message(200, _pretty(body), _JSON, server, close)
    elif path.startswith(b"/delay/"):
        delay = _seconds(path.removeprefix(b"/delay/"))
        if delay is None:
            data = _message(400, "the delay must be seconds\n", _HTML, server, close)
        else:
            body = _about(request, path, query) | {"data": "", "files": {}, "form": {}}
            data = _message(200, _pretty(body), _JSON, server, close)
            return HttpAnswer(_without_body(data) if method == b"HEAD" else data, delay)
    elif path.startswith(b"/status/"):
        code = path.removeprefix(b"/status/")
        if len(code) == 3 and code.isdigit() and b"200" <= code < b"600":
            data = _message(int(code), "", _HTML, server, close)
        else:
            data = _message(400, "Invalid status code\n", _HTML, server, close)
    else:
        data = _message(404, "Not Found\n", _HTML, server, close)
    return HttpAnswer(_without_body(data) if method == b"HEAD" else data)


def bad_request(server: str) -> bytes:
    """The answer to bytes that are no HTTP request; the connection closes after it."""
    return _message(400, "Bad Request\n", _HTML, server, True)


def _message(status: int, body: str, kind: str, server: str, close: bool, extra: str = "") -> bytes:
    date = _date(int(time.time()))
    head = _head(status, len(body), kind, server, close, extra, date)
    return head if status in (204, 304) else head + body.encode("latin-1")


@lru_cache(maxsize=4096)
def _head(
    status: int, length: int, kind: str, server: str, close: bool, extra: str, date: str
) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "UNKNOWN"
    size = "" if status in (204, 304) else f"Content-Length: {length}\r\n"
    return (
        f"HTTP/1.1 {status} {phrase}\r\nServer: ipvsload\r\nDate: {date}\r\n"
        f"Content-Type: {kind}\r\n{size}Connection: {'close' if close else 'keep-alive'}\r\n"
        f"{extra}X-Real-Server: {server}\r\n\r\n"
    ).encode("latin-1")


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))


def _without_body(data: bytes) -> bytes:
    return data[: data.index(b"\r\n\r\n") + 4]


def _pretty(body: dict[str, Any]) -> str:
    return json.dumps(body, indent=2, sort_keys=True) + "\n"


def _headers(request: HttpRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers:
        title, text = name.decode("latin-1").title(), value.decode("latin-1")
        found[title] = f"{found[title]},{text}" if title in found else text
    return found


def _about(request: HttpRequest, path: bytes, query: bytes) -> dict[str, Any]:
    headers = _headers(request)
    args: dict[str, Any] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name in args:
            args[name] = [*(args[name] if isinstance(args[name], list) else [args[name]]), value]
        else:
            args[name] = value
    url = f"http://{headers.get('Host', '')}{request.target.decode('latin-1')}"
    return {"args": args, "headers": headers, "origin": request.peer, "url": url}


def _seconds(text: bytes) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return None if math.isnan(seconds) or seconds < 0 else min(seconds, MAX_DELAY)
