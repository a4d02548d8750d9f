"""A recorded run's requests changed, for tests of what is made of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ipvsload.record.format import Request
from ipvsload.record.reader import RecordedRun
from ipvsload.record.request_table import RequestTable


@contextmanager
def edited(run: RecordedRun) -> Iterator[list[Request]]:
    """Its requests as a list; what is left of them there is the run's at the end."""
    requests = list(run.requests)
    yield requests
    run.requests = RequestTable.of(run.number, requests)


def change_each(run: RecordedRun, change: Callable[[Request], Request]) -> None:
    """Its requests are what `change` makes of each."""
    run.requests = RequestTable.of(run.number, map(change, run.requests))
