"""Tables as CSV: RFC 4180 but for its line ends, UTF-8, the columns' names first.

An unknown cell is empty; a yes or no is True or False.
"""

import csv
from pathlib import Path

from ipvsload.report.exports.export_table import ExportTable


def write_csv(table: ExportTable, path: Path) -> int:
    """Write a table; how many rows it has. Raises OSError."""
    rows = 0
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        for rows, row in enumerate(table.rows, 1):  # noqa: B007
            writer.writerow(row)
    return rows
