"""What the lab's real servers answer: those pages of httpbin that are used.

A pure function from a request to the bytes of its answer. Bodies have
httpbin's fields and layout (sorted keys, two spaces, a final newline), so
that what was written for httpbin works in the lab. Servers with a capacity add
`Server-Timing` (W3C Server Timing): how long the request waited for a worker, and
how long that had it, in milliseconds.
"""

import time
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from ipvsload.testbed.lab.page_text import page_text

MAX_DELAY = 60.0
"""Longest /delay in seconds; a longer one is shortened to it (httpbin's limit is 10)."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
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
    """The answer's bytes, and the work of it in seconds (of a server with speed 1)."""

    data: bytes
    work: float = 0.0


def answer(request: HttpRequest, server: str) -> HttpAnswer:
    """Answer as httpbin would, for the real server of this name."""
    path, _, query = request.target.partition(b"?")
    status, text, delay, extra = 200, "", 0.0, ""
    page: dict[str, Any] = {}
    if request.method not in (b"GET", b"HEAD"):
        status, extra = 405, "Allow: GET, HEAD\r\n"
    elif path == b"/ip":
        page = {"origin": request.peer}
    elif path == b"/headers":
        page = {"headers": _headers(request)}
    elif path == b"/get":
        page = _about(request, query)
    elif path.startswith(b"/delay/"):
        try:
            delay = _seconds(path.removeprefix(b"/delay/"))
            page = _about(request, query) | {"data": "", "files": {}, "form": {}}
        except ValueError:
            status, text = 400, "the delay must be seconds\n"
    elif path.startswith(b"/status/"):
        code = path.removeprefix(b"/status/")
        if len(code) == 3 and code.isdigit() and b"200" <= code < b"600":
            status = int(code)
        else:
            status, text = 400, "Invalid status code\n"
    else:
        status, text = 404, "Not Found\n"
    if page:
        text = page_text(page) + "\n"
    data = _message(status, text, _JSON if page else _HTML, server, request.close, extra)
    if request.method == b"HEAD":
        data = _head_of(data)
    return HttpAnswer(data, delay)


def bad_request(server: str) -> bytes:
    """The answer to bytes that are no HTTP request; the connection closes after it."""
    return _message(400, "Bad Request\n", _HTML, server, True)


def overloaded(server: str, request: HttpRequest, status: int) -> bytes:
    """The answer to a request for which the server has no room."""
    data = _message(status, f"{_PHRASES[status]}\n", _HTML, server, request.close)
    return _head_of(data) if request.method == b"HEAD" else data


def with_timing(data: bytes, queue_ns: int, work_ns: int) -> bytes:
    """The answer with the time that the request waited, and was worked on."""
    # At the end of the head: what is before it is the same in many answers.
    head, end, body = data.partition(b"\r\n\r\n")
    timing = b"\r\nServer-Timing: queue;dur=%.3f, work;dur=%.3f"
    return b"".join((head, timing % (queue_ns / 1e6, work_ns / 1e6), end, body))


def _head_of(data: bytes) -> bytes:
    return data[: data.index(b"\r\n\r\n") + 4]


def _message(status: int, body: str, kind: str, server: str, close: bool, extra: str = "") -> bytes:
    date = _date(int(time.time()))
    head = _head(status, len(body), kind, server, close, extra, date)
    return head if status in (204, 304) else head + body.encode("latin-1")


@lru_cache(maxsize=4096)
def _head(
    status: int, length: int, kind: str, server: str, close: bool, extra: str, date: str
) -> bytes:
    phrase = _PHRASES.get(status, "UNKNOWN")
    size = "" if status in (204, 304) else f"Content-Length: {length}\r\n"
    return (
        f"HTTP/1.1 {status} {phrase}\r\nServer: ipvsload\r\nDate: {date}\r\n"
        f"Content-Type: {kind}\r\n{size}Connection: {'close' if close else 'keep-alive'}\r\n"
        f"{extra}X-Real-Server: {server}\r\n\r\n"
    ).encode("latin-1")


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))


def _headers(request: HttpRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers:
        title, text = name.decode("latin-1").title(), value.decode("latin-1")
        found[title] = f"{found[title]},{text}" if title in found else text
    return found


def _about(request: HttpRequest, query: bytes) -> dict[str, Any]:
    headers = _headers(request)
    args = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    return {
        "args": {name: values if values[1:] else values[0] for name, values in args.items()},
        "headers": headers,
        "origin": request.peer,
        "url": f"http://{headers.get('Host', '')}{request.target.decode('latin-1')}",
    }


def _seconds(text: bytes) -> float:
    seconds = float(text)
    if not seconds >= 0:  # neither is "nan"
        raise ValueError
    return min(seconds, MAX_DELAY)
