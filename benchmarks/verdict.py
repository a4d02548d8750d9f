"""How long `ipvsload simulate skew` takes from start to verdict, with the interpreter's start.

The least of some rounds: other programs only make it longer. Of the processor is what it takes
of one core.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_S = 1.0
ROUNDS = 5


def main() -> None:
    """Print the figure."""
    seconds, processor = zip(*(one_round() for _ in range(ROUNDS)), strict=True)
    print(
        f"ipvsload simulate skew: {min(seconds):.2f} s, {min(processor):.2f} s of the processor"
        f" (to reach: {LIMIT_S:g})"
    )


def one_round() -> tuple[float, float]:
    """Seconds, and those of the processor."""
    with tempfile.TemporaryDirectory() as directory:
        words = ["ipvsload", "simulate", "skew", "--out", str(Path(directory, "out"))]
        began, used = time.perf_counter(), _processor()
        subprocess.run([sys.executable, "-m", *words], capture_output=True, check=True)
        return time.perf_counter() - began, _processor() - used


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
