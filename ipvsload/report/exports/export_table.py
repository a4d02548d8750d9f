"""A table to be exported: its columns' names and types, and its rows one after the other.

A name ends in its unit (`_us`, `_ms`, `_s`), where it has one. Rows are made as they are
written: a recording of millions of requests is never in memory as a whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

CellType: TypeAlias = Literal["int", "float", "text", "bool"]


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One table: `columns` has names and types, `rows` as many cells each; None is unknown."""

    name: str
    columns: dict[str, CellType]
    rows: Iterable[tuple[Any, ...]]
