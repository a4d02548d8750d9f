"""What a whole command costs beside the timelines that it must play.

Run as `python -m benchmarks.wall`: once with two long runs, and once with many short ones.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 1.04
REPEATS = 10
SKEW = Path(__file__).resolve().parents[1] / "scenarios" / "skew.yaml"
BRIEF = """
name: brief
schedulers: [rr, lc]
traffic: {steady: {rate: 100}}
timeline: [{start: steady}, {wait: 1s}, {stop: steady}]
"""


def main() -> None:
    """Run both and print the ratios and where the rest went."""
    with tempfile.TemporaryDirectory() as directory:
        print(f"ipvsload run {SKEW.name}, seconds; to reach: ratio <= {LIMIT:g}")
        _measure(Path(directory, "skew"), str(SKEW))
        brief = Path(directory, "brief.yaml")
        brief.write_text(BRIEF)
        print(f"\n{2 * REPEATS} runs of a second: two schedulers, --repeats {REPEATS}")
        _measure(Path(directory, "brief"), str(brief), "--repeats", str(REPEATS))


def _measure(out: Path, *words: str) -> None:
    command = [sys.executable, "-m", "ipvsload", "run", *words, "--out", str(out)]
    began = time.monotonic()
    # Where others use the machine a run may not count; what it took is asked for here.
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    wall = time.monotonic() - began
    runs = json.loads((out / "results.json").read_text())["runs"]
    timelines = sum(run["seconds"]["timeline"] for run in runs)
    between = sum(run["seconds"]["setup"] + run["seconds"]["teardown"] for run in runs)
    print(f"{'wall':28} {wall:8.2f}")
    print(f"{'timelines':28} {timelines:8.2f}")
    print(f"{'set-up and end of runs':28} {between:8.2f}")
    print(f"{'lab, imports, reports':28} {wall - timelines - between:8.2f}")
    print(f"{'wall / timelines':28} {wall / timelines:8.3f}")


if __name__ == "__main__":
    main()
