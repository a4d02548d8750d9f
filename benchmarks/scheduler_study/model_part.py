"""The grid on the model, over all processors, going on where an earlier start ended."""

import multiprocessing
import signal
import sys
import time
from collections.abc import Sequence

from benchmarks.scheduler_study.kept_cells import KeptCells, lines
from benchmarks.scheduler_study.model_player import play
from benchmarks.scheduler_study.study_cell import Cell

TELL_EVERY_S = 60.0
"""Where there is no terminal."""


def play_missing(kept: KeptCells, cells: Sequence[Cell], processes: int) -> None:
    """Play what has not been played. Ctrl-C loses the cell that each process is at."""
    missing = kept.missing(cells)
    progress = Progress(len(cells), len(missing))
    with multiprocessing.Pool(processes, _leave_interrupts) as pool:
        for cell, rows in pool.imap_unordered(played, missing):
            kept.keep(cell, rows)
            progress.over()
    progress.end()


def played(cell: Cell) -> tuple[Cell, str]:
    """A cell and its rows."""
    return cell, lines(cell, play(cell))


def _leave_interrupts() -> None:
    """Ctrl-C reaches all processes of a terminal; the first one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class Progress:
    """How far it is: a line that is written again on a terminal, and else one now and then."""

    def __init__(self, cells: int, missing: int) -> None:
        self._cells, self._missing = cells, missing
        self._over = 0
        self._began = self._told = time.monotonic()
        self._terminal = sys.stdout.isatty()
        if missing:
            there = f", {cells - missing} of them there already" if missing < cells else ""
            print(f"model: {cells} cells{there}", flush=True)

    def over(self) -> None:
        """Another cell is."""
        self._over += 1
        now = time.monotonic()
        if self._terminal or now - self._told > TELL_EVERY_S:
            self._told = now
            left = self._missing - self._over
            minutes = (now - self._began) / self._over * left / 60
            words = f"model: {self._cells - left} of {self._cells} cells, {minutes:.0f} min to go"
            print(f"\r{words}\033[K" if self._terminal else words, flush=True, end=self._end)

    def end(self) -> None:
        """All are over."""
        if self._missing:
            begin = "\r\033[K" if self._terminal else ""
            print(f"{begin}model: all {self._cells} cells are there", flush=True)

    @property
    def _end(self) -> str:
        return "" if self._terminal else "\n"
