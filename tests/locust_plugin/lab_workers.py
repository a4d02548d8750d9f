"""A master and two workers on a lab's own network, where its director is: run it inside a lab.

`ipvsload lab -- python -m tests.locust_plugin.lab_workers SCENARIO` prints the master's
output, and ends with its exit status. The lab's client becomes a switch; the workers are
namespaces with addresses of their own, beside the client's.
"""

import os
import subprocess
import sys
from pathlib import Path

from ipvsload.testbed.lab.network import run_ip
from ipvsload.testbed.lab.topology import CLIENT_CABLE, Topology
from tests.locust_plugin.machines import machine, on_machine
from tests.patience import HUNG_AFTER_S

ADDRESSES = ("192.0.2.111", "192.0.2.112")
_PORT = "6001"


def main() -> int:
    topology = Topology(clients=1, servers=2)
    (client,) = topology.client_addresses
    link = CLIENT_CABLE.far
    run_ip(
        f"link add lan type bridge stp_state 0 forward_delay 0\nlink set {link} master lan\n"
        f"link set lan up\naddr flush dev {link}\naddr add {client}/24 dev lan"
    )
    python = sys.executable
    locust = [python, "-m", "locust", "-f", str(Path("locustfiles/skew.py")), "--headless"]
    master = subprocess.Popen(
        [*locust, "--master", "--master-bind-port", _PORT, "--expect-workers", "2",
         "-H", os.environ["URL"], "--scenario", sys.argv[1], "--out", sys.argv[2],
         "--sidecar", f"{python} -m ipvsload lab exec -- {python} -m ipvsload collect"]
    )  # fmt: skip
    workers = []
    for number, address in enumerate(ADDRESSES):
        pid = machine()
        run_ip(
            f"link add w{number} type veth peer name eth0 netns {pid}\n"
            f"link set w{number} master lan\nlink set w{number} up"
        )
        on_machine(pid, f"link set lo up\naddr add {address}/24 dev eth0\nlink set eth0 up\n")
        words = ["nsenter", "--target", str(pid), "--net", "--", *locust]
        words += ["--worker", "--master-host", client, "--master-port", _PORT]
        workers.append(subprocess.Popen(words, stdout=subprocess.DEVNULL))
    try:
        return master.wait(HUNG_AFTER_S)
    finally:
        for process in (master, *workers):
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
