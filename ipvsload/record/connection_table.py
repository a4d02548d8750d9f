"""A run's connections as the director's own list had them, by columns.

The list is read again and again while a run goes on, so each connection is here with the server
that the kernel chose for it. connection_join.py says which requests these connections carried.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Self

from numpy.typing import NDArray

from ipvsload.record.column_blocks import BlockEncoder, ColumnLayout
from ipvsload.record.column_file import ColumnFile
from ipvsload.record.format import ListedConnection

CONNECTION_LAYOUT = ColumnLayout("connections", ListedConnection)
NO_CONNECTIONS = ColumnFile(CONNECTION_LAYOUT.header(), CONNECTION_LAYOUT)


class ConnectionColumns(NamedTuple):
    """Some thousand connections; each column is an array with one value a connection.

    The fields are those of `ListedConnection`, without `run`; `client`, `server` and `state` are
    places in the table's `texts`.
    """

    t_us: NDArray[Any]
    client: NDArray[Any]
    port: NDArray[Any]
    server: NDArray[Any]
    state: NDArray[Any]


class ConnectionTable:
    """The connections of one run, in the order in which they were told.

    `file` has them, on disk or in memory, and may have those of other runs. `texts` are what the
    numbers of some columns stand for; the first is None.
    """

    def __init__(self, run: int, file: ColumnFile[ListedConnection]) -> None:
        self.run = run
        self._file = file

    @classmethod
    def of(cls, run: int, connections: Iterable[ListedConnection]) -> Self:
        """A table of these, in memory."""
        encoder = BlockEncoder(CONNECTION_LAYOUT)
        encoder.add(connections)
        content = CONNECTION_LAYOUT.header() + encoder.take()
        return cls(run, ColumnFile.read(content, CONNECTION_LAYOUT, []))

    @property
    def texts(self) -> list[str | None]:
        """What the numbers of some columns stand for; the first is None."""
        return self._file.texts

    def blocks(self) -> Iterator[ConnectionColumns]:
        """All of them by columns, some ten thousand at a time."""
        return map(ConnectionColumns._make, self._file.blocks(self.run))

    def __len__(self) -> int:
        return self._file.rows(self.run)
