"""The cells on the real kernel, in the lab, and the same scenarios on the model."""

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.played_runs import played
from benchmarks.scheduler_study.kernel_cell import LEAST_VALID, KernelCell

KERNEL, MODEL = "kernel", "model"
PERCENTILES = ("p50", "p95", "p99")


class KernelRow(NamedTuple):
    """A valid run: times in ms."""

    cell: str
    source: str
    scheduler: str
    block: int
    p50: float
    p95: float
    p99: float


def play_missing_on_kernel(kept: Path, cells: Sequence[KernelCell]) -> list[str]:
    """Play what has not been played; Ctrl-C loses one cell. Returns what is wrong, for people.

    A cell with too few valid runs is not kept: the next start plays it again.
    """
    kept.mkdir(parents=True, exist_ok=True)
    wrong = []
    for number, cell in enumerate(cells, 1):
        path = _path(kept, cell)
        if path.exists():
            continue
        print(f"kernel: {cell.name}, {number} of {len(cells)}", flush=True)
        rows = [*played_by(cell, KERNEL, "run", "--no-witness")]
        if faults := too_few(cell, rows):
            wrong.append(f"{cell.name}: {faults}")
            continue
        rows += played_by(cell, MODEL, "simulate", *cell.simulated_with)
        part = path.with_suffix(".part")
        part.write_text(_text(rows))
        part.replace(path)
    return wrong


def gather_of_kernel(kept: Path, cells: Sequence[KernelCell], data: Path) -> None:
    """Write the data of all of these."""
    data.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(_path(kept, cell).read_text() for cell in cells)
    data.write_text(",".join(KernelRow._fields) + "\n" + rows)


def too_few(cell: KernelCell, rows: Sequence[KernelRow]) -> str:
    """Which schedulers have too few valid runs, for people; "" where none has."""
    valid = Counter(row.scheduler for row in rows)
    few = [name for name in cell.schedulers if valid[name] < min(LEAST_VALID, cell.blocks)]
    if not few:
        return ""
    told = ", ".join(f"{name} {valid[name]} of {cell.blocks}" for name in few)
    return f"too few valid runs ({told}); arrivals were late: have the machine for this alone"


def read_kernel_rows(data: Path) -> Iterator[KernelRow]:
    """All lines of the data."""
    with data.open(newline="") as file:
        for line in csv.DictReader(file):
            times = (float(line[name]) for name in PERCENTILES)
            yield KernelRow(
                line["cell"], line["source"], line["scheduler"], int(line["block"]), *times
            )


def _path(kept: Path, cell: KernelCell) -> Path:
    return kept / f"{cell.name}-{cell.blocks}x{cell.seconds:g}.csv"


def _text(rows: Sequence[KernelRow]) -> str:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    for row in rows:
        out.writerow([*row[:4], *(f"{time:.5g}" for time in row[4:])])
    return text.getvalue()


def played_by(cell: KernelCell, source: str, command: str, *words: str) -> Iterator[KernelRow]:
    """The valid runs of `ipvsload COMMAND`. Raises RuntimeError where there are none at all."""
    with tempfile.TemporaryDirectory() as directory:
        scenario = Path(directory, "study.yaml")
        scenario.write_text(cell.scenario())
        found = played(command, scenario, "--repeats", str(cell.blocks), *words)
    for run in found:
        if run["valid"]:
            times = run["traffic"]["work"]["latency_ms"]
            yield KernelRow(
                cell.name, source, run["label"], run["repeat"], *(times[p] for p in PERCENTILES)
            )
