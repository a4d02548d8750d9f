"""The bytes of a request: the same each time, or with work or a path that differs."""

from collections.abc import Callable

from ipvsload import __version__
from ipvsload.load.random_numbers import RandomNumbers
from ipvsload.load.trace_arrivals import TraceArrivals
from ipvsload.scenario.traffic import PATH, WORK, Traffic
from ipvsload.scenario.url import HttpTarget


def message_of(path: str, target: HttpTarget, reuse: bool) -> bytes:
    """A GET of this path; without `reuse` the server is asked to close the connection."""
    name = str(target).partition("://")[2]
    return (
        f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: ipvsload/{__version__}\r\n"
        f"Accept: */*\r\nConnection: {'keep-alive' if reuse else 'close'}\r\n\r\n"
    ).encode("latin-1")


def differing(
    message: bytes, spec: Traffic, numbers: RandomNumbers, trace: TraceArrivals | None
) -> Callable[[int], tuple[bytes, int | None]] | None:
    """What makes the message of the request of a number, and tells its work, in µs.

    Work is drawn by the number, or that of the arrival that was read last.
    None where all messages are the same.
    """
    paths = PATH in spec.request
    if WORK not in spec.request and not paths:
        return None
    draw = spec.work.quantile if spec.work is not None else None
    before, *after = message.split(WORK.encode())

    def made(number: int) -> tuple[bytes, int | None]:
        made, work_us = message, None
        if after:
            work = (trace and trace.row.work) or 0.0 if draw is None else draw(numbers.at(number))
            work_us = round(work * 1_000_000)
            made = (b"%d.%06d" % divmod(work_us, 1_000_000)).join((before, *after))
        if paths:
            made = made.replace(
                PATH.encode(), ((trace and trace.row.path) or "/").encode("latin-1")
            )
        return made, work_us

    return made
