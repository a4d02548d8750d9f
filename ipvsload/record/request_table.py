"""A run's requests by columns: ten million of them in little memory.

As tuples they would be gigabytes. Here whoever counts them takes blocks of columns, one after
the other, and whoever wants single ones gets a `Request` of each, made again each time.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.format import Request

NOT_KNOWN = -1
"""Stands for None among numbers."""
_AT_ONCE = 1 << 16


class RequestColumns(NamedTuple):
    """Some thousand requests; each column is an array with one value a request.

    The fields are those of `Request`, without `run`. `traffic`, `client`, `server`, `error` and
    `untaken` are places in the table's `texts`, whose first is None. In `work_us` and
    `queue_us` NOT_KNOWN stands for None.
    """

    traffic: NDArray[Any]
    planned_us: NDArray[Any]
    start_us: NDArray[Any]
    latency_us: NDArray[Any]
    status: NDArray[Any]
    bytes: NDArray[Any]
    client: NDArray[Any]
    port: NDArray[Any]
    reused: NDArray[Any]
    server: NDArray[Any]
    error: NDArray[Any]
    untaken: NDArray[Any]
    idle_us: NDArray[Any]
    retried: NDArray[Any]
    work_us: NDArray[Any]
    queue_us: NDArray[Any]
    director: NDArray[Any]


class RequestTable:
    """The requests of one run, in the order in which they ended.

    `texts` are what the numbers of some columns stand for; the first is None.
    """

    def __init__(self, run: int, blocks: Iterable[RequestColumns], texts: list[str | None]) -> None:
        self.run = run
        self.texts = texts
        self._blocks = list(blocks)

    @classmethod
    def of(cls, run: int, requests: Iterable[Request]) -> Self:
        """A table of these, in memory."""
        texts: dict[str | None, int] = {None: 0}
        rest, blocks = iter(requests), []
        while some := list(islice(rest, _AT_ONCE)):
            blocks.append(_columns(some, texts))
        return cls(run, blocks, list(texts))

    def blocks(self) -> Iterator[RequestColumns]:
        """All of them by columns, some thousand at a time."""
        return iter(self._blocks)

    def __len__(self) -> int:
        return sum(len(block.traffic) for block in self.blocks())

    def __iter__(self) -> Iterator[Request]:
        texts = self.texts
        for block in self.blocks():
            rows = zip(*(column.tolist() for column in block), strict=True)
            for (traffic, planned, start, latency, status, size, client, port, reused, server,
                 error, untaken, idle_us, retried, work, queue, director) in rows:  # fmt: skip
                yield Request(
                    self.run, texts[traffic] or "", planned, start, latency, status, size,
                    texts[client] or "", port, reused, texts[server], texts[error],
                    texts[untaken], idle_us, retried,
                    None if work == NOT_KNOWN else work,
                    None if queue == NOT_KNOWN else queue,
                    director,
                )  # fmt: skip


def _columns(requests: list[Request], texts: dict[str | None, int]) -> RequestColumns:
    def place(text: str | None) -> int:
        return texts.setdefault(text, len(texts))

    def known(number: int | None) -> int:
        return NOT_KNOWN if number is None else number

    rows = [
        (place(r.traffic), r.planned_us, r.start_us, r.latency_us, r.status, r.bytes,
         place(r.client), r.port, r.reused, place(r.server), place(r.error), place(r.untaken),
         r.idle_us, r.retried, known(r.work_us), known(r.queue_us), r.director)
        for r in requests
    ]  # fmt: skip
    return RequestColumns._make(map(np.array, zip(*rows, strict=True)))
