"""What a whole command costs beside the timelines that it must play.

Run as `python -m benchmarks.wall`.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 1.2
SCENARIO = Path(__file__).resolve().parents[1] / "scenarios" / "skew.yaml"


def main() -> None:
    """Run skew.yaml once and print the ratio and where the rest went."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out"
        command = [sys.executable, "-m", "ipvsload", "run", str(SCENARIO), "--out", str(out)]
        began = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        wall = time.monotonic() - began
        runs = json.loads((out / "results.json").read_text())["runs"]
    timelines = sum(run["seconds"]["timeline"] for run in runs)
    between = sum(run["seconds"]["setup"] + run["seconds"]["teardown"] for run in runs)
    print(f"ipvsload run {SCENARIO.name}, seconds; to reach: ratio <= {LIMIT:g}")
    print(f"{'wall':28} {wall:8.2f}")
    print(f"{'timelines':28} {timelines:8.2f}")
    print(f"{'set-up and end of runs':28} {between:8.2f}")
    print(f"{'lab, imports, reports':28} {wall - timelines - between:8.2f}")
    print(f"{'wall / timelines':28} {wall / timelines:8.3f}")


if __name__ == "__main__":
    main()
