"""What the model's real servers answer: what those of the lab do, of which only the size stays."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from ipvsload.scenario.traffic import PATH, WORK, Traffic
from ipvsload.testbed.lab.httpbin import MAX_DELAY, HttpRequest, answer

_WORK = b"0.000000"
"""Any work of less than ten seconds, as it stands in a request."""
_DELAY = "/delay/"


class PageAnswer(NamedTuple):
    """An answer's status, the bytes of its body, and its work in seconds."""

    status: int
    size: int
    work: float


@lru_cache(maxsize=4096)
def page(path: bytes, client: str) -> PageAnswer:
    """What a server answers to this path."""
    headers = [(b"Host", b"192.0.2.80"), (b"Accept", b"*/*")]
    data, work = answer(HttpRequest(b"GET", path, headers, client, True), "")
    head, _, body = data.partition(b"\r\n\r\n")
    return PageAnswer(int(head[9:12]), len(body), work)


Answers = Callable[[bytes, int | None], PageAnswer]
"""The answer to a path that asks for so much work, in µs; None where it does not say."""


def answers_of(spec: Traffic, client: str) -> Answers:
    """What the requests of a class are answered."""
    if PATH in spec.request:
        return lambda path, _: page(path, client)
    usual = page(spec.path.encode().replace(WORK.encode(), _WORK), client)
    if spec.path.partition("?")[0] != _DELAY + WORK:
        return lambda _, __: usual

    def delayed(_path: bytes, work_us: int | None) -> PageAnswer:
        return PageAnswer(usual[0], usual[1], min((work_us or 0) / 1e6, MAX_DELAY))

    return delayed
