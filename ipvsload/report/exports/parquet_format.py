"""Tables as Parquet, by pyarrow: large, and so installed only where it is asked for."""

from itertools import islice
from pathlib import Path
from typing import Any

from ipvsload.errors import UsageError
from ipvsload.report.exports.export_table import ExportTable

_ROWS = 50_000
"""How many rows are in memory, and in a row group."""


def write_parquet(table: ExportTable, path: Path) -> int:
    """Write a table; how many rows it has. Raises OSError, and UsageError without pyarrow."""
    arrow, parquet = _pyarrow()
    types = {
        "int": arrow.int64(),
        "float": arrow.float64(),
        "text": arrow.string(),
        "bool": arrow.bool_(),
    }
    schema = arrow.schema([(name, types[cell]) for name, cell in table.columns.items()])
    rows, written = iter(table.rows), 0
    with parquet.ParquetWriter(path, schema) as writer:
        while some := list(islice(rows, _ROWS)):
            arrays = [
                arrow.array(cells, type=field.type)
                for cells, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(arrow.table(arrays, schema=schema))
            written += len(some)
    return written


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "Parquet is written by pyarrow, which is not installed here:"
            " pip install 'ipvsload[parquet]', or export as csv"
        ) from None
    return pyarrow, pyarrow.parquet
