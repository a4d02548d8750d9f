"""A run's requests by columns: ten million of them in little memory.

As tuples they would be gigabytes. Here whoever counts them takes blocks of columns, one after
the other, and whoever wants single ones gets a `Request` of each, made again each time.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.column_blocks import NOT_KNOWN, BlockEncoder, ColumnLayout
from ipvsload.record.column_file import ColumnFile
from ipvsload.record.format import Request

__all__ = ["NOT_KNOWN", "REQUEST_LAYOUT", "RequestColumns", "RequestTable"]

REQUEST_LAYOUT = ColumnLayout("requests", Request, {"traffic": "class"})
_AT_ONCE = 1 << 14
_NOT_READ: NDArray[Any] = np.empty(0, np.int64)
"""Is there instead of a column that nobody asked for."""
_FILLED_BY = {"client", "port", "start_us"}
"""What a `ServerFiller` looks at."""


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

    @property
    def failed(self) -> NDArray[np.bool]:
        """Which have no whole answer, or one with a status of 400 and more."""
        found: NDArray[np.bool] = (self.error != 0) | (self.status >= 400)
        return found

    @property
    def opened(self) -> NDArray[np.bool]:
        """Which are the first of a connection that was opened, or of one that could not be."""
        found: NDArray[np.bool] = ~self.reused
        return found

    @property
    def end_us(self) -> NDArray[Any]:
        """When each ended."""
        ends: NDArray[Any] = self.planned_us + self.latency_us
        return ends

    def where(self, chosen: NDArray[Any]) -> "RequestColumns":
        """Some of the rows, by a mask or by their places."""
        return RequestColumns._make(
            column if column is _NOT_READ else column[chosen] for column in self
        )


class ServerFiller(Protocol):
    """Knows servers that requests did not name."""

    @property
    def texts(self) -> list[str | None]:
        """A table's texts, and behind them others that `fill` needs."""

    def fill(self, block: RequestColumns, /) -> RequestColumns:
        """The same requests with their servers, by their clients, ports and starts."""


class RequestTable:
    """The requests of one run, in the order in which they ended.

    `file` has them, on disk or in memory, and may have those of other runs. `filler` adds to
    the servers that stand there.
    """

    def __init__(
        self, run: int, file: ColumnFile[Request], filler: ServerFiller | None = None
    ) -> None:
        self.run = run
        self._file = file
        self._filler = filler

    def filled_by(self, filler: ServerFiller) -> "RequestTable":
        """The same requests with more servers."""
        return RequestTable(self.run, self._file, filler)

    @classmethod
    def of(cls, run: int, requests: Iterable[Request]) -> Self:
        """A table of these, in memory."""
        encoder, blocks = BlockEncoder(REQUEST_LAYOUT), [REQUEST_LAYOUT.header()]
        rest = (one if one.run == run else one._replace(run=run) for one in requests)
        while some := list(islice(rest, _AT_ONCE)):
            encoder.add(some)
            blocks.append(encoder.take())
        return cls(run, ColumnFile.read(b"".join(blocks), REQUEST_LAYOUT, []))

    @property
    def texts(self) -> list[str | None]:
        """What the numbers of some columns stand for; the first is None."""
        return self._filler.texts if self._filler else self._file.texts

    def blocks(self, *needed: str) -> Iterator[RequestColumns]:
        """All of them by columns, some ten thousand at a time.

        Where some columns are named, only these are read, and others are empty.
        """
        fields = set(needed or RequestColumns._fields)
        filler = self._filler if "server" in fields else None
        if filler:
            fields |= _FILLED_BY
        places = [place for place, field in enumerate(RequestColumns._fields) if field in fields]
        for found in self._file.blocks(self.run, [REQUEST_LAYOUT.columns[one] for one in places]):
            columns = [_NOT_READ] * len(RequestColumns._fields)
            for place, column in zip(places, found, strict=True):
                columns[place] = column
            block = RequestColumns._make(columns)
            yield filler.fill(block) if filler else block

    @cached_property
    def last_end_us(self) -> int:
        """The end of the request that ended last; 0 without requests."""
        ends = (int(one.end_us.max()) for one in self.blocks("planned_us", "latency_us"))
        return max(ends, default=0)

    @cached_property
    def connections(self) -> int:
        """How many connections were opened for them."""
        blocks = self.blocks("reused", "port")
        return sum(int((one.opened & (one.port != 0)).sum()) for one in blocks)

    def __len__(self) -> int:
        return self._file.rows(self.run)

    def rows(self, choose: Callable[[RequestColumns], RequestColumns]) -> Iterator[Request]:
        """Those that `choose` leaves of each block."""
        for block in self.blocks():
            yield from REQUEST_LAYOUT.rows(self.run, choose(block), self.texts)

    def __iter__(self) -> Iterator[Request]:
        for block in self.blocks():
            yield from REQUEST_LAYOUT.rows(self.run, block, self.texts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RequestTable):
            return NotImplemented
        return len(self) == len(other) and all(map(Request.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]
