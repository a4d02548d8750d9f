"""The lab's kernels side by side: how long until they are ready, and what they balance.

Run as `python -m benchmarks.providers`; or with a provider's name, for one round of it.
"""

import json
import statistics
import subprocess
import sys
import time

from benchmarks.versus import USERS, ab
from ipvsload.errors import TestbedError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.lab.kernels.providers import KERNELS
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.namespaces import setns
from ipvsload.testbed.lab.topology import Topology

ROUNDS = 3
REQUESTS = 4_000
KEPT = 10_000
LIMIT_S = 10.0


def one(kernel: str) -> dict[str, float]:
    """A fresh lab: seconds until ready, and requests/s of `ab` through it."""
    began = time.monotonic()
    testbed = LabTestbed(Topology(), kernel=kernel)
    try:
        testbed.start()
        testbed.wait_ready()
        found = {
            "kernel boot, s": testbed.lab.kernel.booted,
            "ready, s": time.monotonic() - began,
        }
        setns(testbed.lab.client_namespace)  # as ab has to
        target = testbed.begin(ServiceSpec("rr", (1, 1))).target
        url = f"http://{target.host}:{target.port}/ip"
        found["new connection each, requests/s"] = ab(url, REQUESTS)
        found["keep-alive, requests/s"] = ab(url, KEPT, "-k")
        return found
    finally:
        testbed.close()


def main() -> None:
    """Every provider that works here, in turn; medians."""
    rounds: dict[str, list[dict[str, float]]] = {kernel: [] for kernel in KERNELS}
    for _ in range(ROUNDS):
        for kernel, found in rounds.items():
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.providers", kernel],
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                found.append(json.loads(done.stdout))
            else:
                print(f"{kernel}: {done.stderr.strip().splitlines()[-1][:150]}")
        rounds = {kernel: found for kernel, found in rounds.items() if found}
    print(f"{ROUNDS} rounds in turn, medians, ab -c {USERS}; to reach: ready <= {LIMIT_S:g} s")
    print(f"{'':34}" + "".join(f"{kernel:>10}" for kernel in rounds))
    for part in next(iter(rounds.values()))[0]:
        medians = (statistics.median(r[part] for r in found) for found in rounds.values())
        places = 2 if part.endswith(" s") else 0
        print(f"{part:34}" + "".join(f"{median:>10,.{places}f}" for median in medians))


if __name__ == "__main__" and len(sys.argv) > 1:
    try:
        print(json.dumps(one(sys.argv[1])))
    except TestbedError as error:
        sys.exit(str(error))
elif __name__ == "__main__":
    main()
