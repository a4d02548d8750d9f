"""`make bench`: the figures that the project promises, measured on this machine.

Ratios are of things measured in turn in one run; absolute times say more about
the machine than about the program.
"""

import subprocess
import sys
from pathlib import Path

PARTS = ("ready", "providers", "wall", "lab", "load", "sidecar", "page")


def main() -> None:
    """Run every part, each in a process of its own."""
    here = Path(__file__).parent
    for part in PARTS:
        print(f"\n== {part}", flush=True)
        subprocess.run([sys.executable, str(here / f"{part}.py")], check=False)


if __name__ == "__main__":
    main()
