"""`make study`: are IPVS's schedulers of use?

Run as `python -m benchmarks.scheduler_study [model] [kernel] [pages]`; without a word all three, in
this order. What has been played is kept in runs/study, and a second start goes on from there.
`--quick` plays a few cells for seconds, in runs/study/quick; `--kept DIR` and `--docs DIR`
are other places, and `--processes N` other than one a processor.
"""

import argparse
import os
import signal
from pathlib import Path

from benchmarks.scheduler_study.grid import grid, quick_grid
from benchmarks.scheduler_study.kept_cells import KeptCells
from benchmarks.scheduler_study.kernel_cell import kernel_cells, quick_kernel_cells
from benchmarks.scheduler_study.kernel_part import gather_of_kernel, play_missing_on_kernel
from benchmarks.scheduler_study.model_part import play_missing

ROOT = Path(__file__).parents[2]
RUNS, DOCS = ROOT / "runs" / "study", ROOT / "docs" / "study"
PARTS = ("model", "kernel", "pages")


def main() -> int:
    """The exit status: 0; 1 where the kernel's runs were not valid; 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description="Are IPVS's schedulers of use?")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a few cells, for seconds")
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_intermixed_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    parts = asked.parts or PARTS
    kept_in = asked.kept or (RUNS / "quick" if asked.quick else RUNS)
    docs = asked.docs or (RUNS / "quick" / "docs" if asked.quick else DOCS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if "model" in parts:
            cells = quick_grid() if asked.quick else grid()
            kept = KeptCells(kept_in / "model")
            play_missing(kept, cells, asked.processes)
            kept.gather(cells, docs / "data" / "model.csv")
        if "kernel" in parts:
            on_kernel = quick_kernel_cells() if asked.quick else kernel_cells()
            if wrong := play_missing_on_kernel(kept_in / "kernel", on_kernel):
                print("\n".join(wrong))
                return 1
            gather_of_kernel(kept_in / "kernel", on_kernel, docs / "data" / "kernel.csv")
        if "pages" in parts:
            tell(docs, quick=asked.quick)
    except KeyboardInterrupt:
        print(f"\ninterrupted: what is over is kept in {kept_in}; start again to go on")
        return 130
    return 0


def tell(docs: Path, *, quick: bool) -> None:
    """Write the pages; what is quick has too few cells for them, and is printed."""
    # Not before: what plays needs no matplotlib.
    from benchmarks.scheduler_study.study_pages import effects_printed, write_pages

    if quick:
        print(effects_printed(docs / "data"))
    else:
        print(write_pages(docs / "data", docs))


if __name__ == "__main__":
    raise SystemExit(main())
