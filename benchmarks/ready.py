"""How long a lab takes until the first answer through the virtual address, by parts.

Run as `python -m benchmarks.ready`.
"""

import json
import statistics
import subprocess
import sys
import time

ROUNDS = 5
LIMIT_S = 5.0

ONE = """
import json, time
began = time.monotonic()
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology
testbed = LabTestbed(Topology(), kernel="uml")
marks = [time.monotonic()]
testbed.start()
marks.append(time.monotonic())
testbed.lab.wait_ready()
marks.append(time.monotonic())
testbed.lab.wait_ready = lambda: None
testbed.wait_ready()
marks.append(time.monotonic())
boot = testbed.lab.kernel.booted
wiring = marks[1] - marks[0]
rest = marks[2] - marks[1] - boot
testbed.close()
closed = time.monotonic() - marks[3]
print(json.dumps({"imports": marks[0] - began, "wiring": wiring, "kernel boot": boot,
                  "host tried, agent, network": rest, "warm path": marks[3] - marks[2],
                  "ready": marks[3] - began, "taken down": closed}))
"""


def main() -> None:
    """Print the parts: median and greatest of the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [sys.executable, "-c", ONE], capture_output=True, text=True, check=True
        )
        rounds.append(json.loads(done.stdout))
        time.sleep(0.2)
    print(f"Lab ready (uml), {ROUNDS} rounds, seconds; to reach: ready <= {LIMIT_S:g}")
    print(f"{'':28} {'median':>8} {'greatest':>8}")
    for part in rounds[0]:
        values = [one[part] for one in rounds]
        print(f"{part:28} {statistics.median(values):8.2f} {max(values):8.2f}")


if __name__ == "__main__":
    main()
