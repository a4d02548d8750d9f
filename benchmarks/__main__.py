"""`make bench`: the figures that the project promises, measured on this machine.

Ratios are of things measured in turn in one run; absolute times say more about
the machine than about the program.
"""

import subprocess
import sys

PARTS = (
    "ready",
    "providers",
    "wall",
    "simulation",
    "lab",
    "held",
    "lab_throughput",
    "servers",
    "queues",
    "lateness",
    "load",
    "sidecar",
    "attribution",
    "witness",
    "page",
    "director_model",
    "maglev",
    "rules",
    "replay",
    "verdict",
    "comparison",
    "report_size",
    "large_record",
)


def main() -> None:
    """Run every part, each in a process of its own."""
    for part in PARTS:
        print(f"\n== {part}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=False)


if __name__ == "__main__":
    main()
