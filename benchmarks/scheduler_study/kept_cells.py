"""What has been measured: a small file a cell as soon as it is over, and all of them as the data.

Files of cells stand in a directory of their own, so that a second start goes on where the first one
ended. The data are one table with a row for each scheduler and block, which spreadsheets and pandas
read as it is.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.scheduler_study.model_player import Measured
from benchmarks.scheduler_study.study_cell import KEYS, Cell, Column

HEAD = (*KEYS, "scheduler", "block", *Measured._fields)

Key = tuple[str, ...]
"""A cell's values by KEYS, as the data have them."""


class Row(NamedTuple):
    """A line of the data."""

    key: Key
    scheduler: str
    block: int
    measured: Measured


def told(cell: Cell) -> Key:
    """The key of a cell in the data."""
    return tuple(f"{one:g}" if isinstance(one, float) else str(one) for one in cell.key)


def lines(cell: Cell, played: Iterable[tuple[Column, int, Measured]]) -> str:
    """The rows of a cell as text; times to a hundredth of a millisecond."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    for column, block, measured in played:
        figures = [f"{one:.5g}" for one in measured]
        out.writerow([*told(cell), column.label, block, *figures])
    return text.getvalue()


class KeptCells:
    """The files of cells in a directory, which is made."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def missing(self, cells: Sequence[Cell]) -> list[Cell]:
        """Those that have not been played."""
        return [cell for cell in cells if not self._path(cell).exists()]

    def keep(self, cell: Cell, rows: str) -> None:
        """Write a cell down; its file is there whole or not at all."""
        path = self._path(cell)
        part = path.with_suffix(".part")
        part.write_text(rows)
        part.replace(path)

    def gather(self, cells: Sequence[Cell], data: Path) -> None:
        """Write the data of all of these, in the order of the grid."""
        data.parent.mkdir(parents=True, exist_ok=True)
        rows = "".join(self._path(cell).read_text() for cell in cells)
        data.write_text(",".join(HEAD) + "\n" + rows)

    def _path(self, cell: Cell) -> Path:
        return self._directory / f"{cell.name}.csv"


def read_rows(data: Path) -> Iterator[Row]:
    """All lines of the data."""
    with data.open(newline="") as file:
        for line in csv.DictReader(file):
            measured = Measured(*(float(line[name]) for name in Measured._fields))
            key = tuple(line[name] for name in KEYS)
            yield Row(key, line["scheduler"], int(line["block"]), measured)
