"""How late the load sends over the lab, on an otherwise idle machine.

Run as `python -m benchmarks.lateness [--kernel uml]`. Of three runs in one lab, the median of
each figure; whether each was believed says docs/open-workload.md. Beside them stands how late a
program is that does nothing but sleep until each arrival: earlier than that machine wakes a
process nobody can send.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPEATS = 3
CASES = ((500, "new", 1.0), (2000, "keep-alive", 2.0), (2000, "new", 2.0))
"""Arrivals a second, their connections, and the p99 of lateness in ms that is to be reached."""
_SCENARIO = """
name: lateness
schedulers: [rr]
service: {{servers: 4, clients: 8}}
traffic:
  short: {{rate: {rate}, arrivals: poisson, duration: 10s, connection: {connection}}}
timeline:
  - start: short
    until: done
"""


def main() -> None:
    """Print a line for each rate."""
    print(f"lateness in ms, medians of {REPEATS} runs of 10 s; Poisson arrivals")
    print(
        f"{'rate':>6} {'connection':>11} {'p50':>7} {'p99':>7} {'max':>7}"
        f" {'p99 to reach':>13} {'p99 of sleep':>13} believed"
    )
    for rate, connection, target in CASES:
        with tempfile.TemporaryDirectory() as directory:
            found = play(rate, connection, Path(directory))
        late = {
            which: statistics.median(one["lateness_ms"][which] for one in found)
            for which in ("p50", "p99", "max")
        }
        believed = sum(one["arrivals"]["verdict"] == "believed" for one in found)
        print(
            f"{rate:6} {connection:>11} {late['p50']:7.2f} {late['p99']:7.2f} {late['max']:7.2f}"
            f" {target:13g} {sleep_p99_ms(rate):13.2f} {believed} of {len(found)}",
            flush=True,
        )


def sleep_p99_ms(rate: int) -> float:
    """How late this machine wakes a process that sleeps for each of five seconds of arrivals."""
    late = []
    due = time.monotonic()
    for _ in range(5 * rate):
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))
        late.append(time.monotonic() - due)
    return statistics.quantiles(late, n=100)[98] * 1e3


def play(rate: int, connection: str, directory: Path) -> list[dict[str, Any]]:
    """What results.json says of the class in each run."""
    scenario, out = directory / "lateness.yaml", directory / "out"
    scenario.write_text(_SCENARIO.format(rate=rate, connection=connection))
    words = ["run", str(scenario), "--repeats", str(REPEATS), "--out", str(out), *sys.argv[1:]]
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", *words], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 4):
        print(done.stdout[-2000:] + done.stderr)
    return [
        run["traffic"]["short"] for run in json.loads((out / "results.json").read_text())["runs"]
    ]


if __name__ == "__main__":
    main()
