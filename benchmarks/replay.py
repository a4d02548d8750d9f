"""The kernel's choices under concurrent load beside the model's, with packets and without.

Run as `python -m benchmarks.replay [KERNEL...]`, by default `uml qemu`. Each line is a run of
concurrent.yaml: 50 users, 20,000 connections.
"""

import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.played_runs import alike, played, unexplained

SCENARIO = Path(__file__).with_name("concurrent.yaml")
LEAST = 0.9999


class Way(NamedTuple):
    """How the order of events is known."""

    name: str
    words: tuple[str, ...]


WAYS = Way("packets", ()), Way("times only", ("--no-witness",))


def main() -> None:
    """Print a line for each run."""
    kernels = sys.argv[1:] or ["uml", "qemu"]
    print(f"to reach: with packets >= {LEAST} in user-mode Linux, and none unexplained anywhere")
    print(f"{'kernel':7} {'law':>4} {'order by':10} {'':5} {'connections':>11} {'matched':>8}"
          f" {'unexplained':>11} {'rate':>7}")  # fmt: skip
    for kernel in kernels:
        for way in WAYS:
            try:
                runs = played("run", SCENARIO, "--kernel", kernel, *way.words)
            except RuntimeError as error:
                print(f"{kernel}: {error}", flush=True)
                continue
            for run in runs:
                print(line(kernel, way, run), flush=True)


def line(kernel: str, way: Way, run: dict[str, Any]) -> str:
    """One run: the share of choices that are the model's, and how many nothing explains."""
    where = f"{kernel:7} {run['kernel'].get('lc_law') or '':>4} {way.name:10} {run['scheduler']:5}"
    prediction = run.get("prediction")
    if prediction is None:
        return f"{where} no model"
    share = prediction["matched"] / max(1, prediction["connections"])
    rate = sum(traffic["rps"] for traffic in run["traffic"].values())
    return (
        f"{where} {prediction['connections']:>11,} {share:>8.4f}"
        f" {unexplained(prediction):>11,} {rate:>5,.0f}/s  {alike(prediction)}"
    )


if __name__ == "__main__":
    main()
