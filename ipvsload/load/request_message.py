"""The bytes of a request: the same each time, or with work that differs."""

from collections.abc import Callable

from ipvsload import __version__
from ipvsload.load.random_numbers import RandomNumbers
from ipvsload.scenario.traffic import WORK
from ipvsload.scenario.url import HttpTarget
from ipvsload.scenario.work import Work


def message_with_work(
    message: bytes, work: Work, numbers: RandomNumbers
) -> Callable[[int], tuple[bytes, int]]:
    """What puts work into a message, by the request's number; it also tells it, in µs."""
    before, *after = message.split(WORK.encode())

    def drawn(number: int) -> tuple[bytes, int]:
        work_us = max(1, round(work.quantile(numbers.at(number)) * 1_000_000))
        seconds = b"%d.%06d" % divmod(work_us, 1_000_000)
        return seconds.join((before, *after)), work_us

    return drawn


def message_of(path: str, target: HttpTarget, reuse: bool) -> bytes:
    """A GET of this path; without `reuse` the server is asked to close the connection."""
    name = str(target).partition("://")[2]
    return (
        f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: ipvsload/{__version__}\r\n"
        f"Accept: */*\r\nConnection: {'keep-alive' if reuse else 'close'}\r\n\r\n"
    ).encode("latin-1")
