"""Our users beside `ab` through the lab's director, and 2,000 requests held open at once.

Run as `python -m benchmarks.lab`.
"""

import subprocess
from pathlib import Path

from benchmarks.versus import USERS, ab, errors, head, ours, row
from ipvsload.load.tcp_connect import Sockets
from ipvsload.scenario.model import Traffic
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.namespaces import setns
from ipvsload.testbed.lab.topology import Topology, client_address

ROUNDS = 5
REQUESTS = 6_000
HELD = 2_000
LIMIT = 0.8
CLIENTS = 4


def main() -> None:
    """Bring a lab up, measure in turn, print medians."""
    # A client port must not come again within two minutes (see source_ports.py): ours
    # come in turn, and each round of ab has an address and a wide range of ports.
    testbed = LabTestbed(Topology(clients=CLIENTS), kernel="auto")
    testbed.start()
    try:
        testbed.wait_ready()
        sockets = LabSockets(testbed.socket_broker)
        setns(testbed.lab.client_namespace)  # as ab has to
        Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("1025 65535")
        shorts(testbed, sockets)
        held(testbed, sockets)
    finally:
        testbed.close()


def shorts(testbed: LabTestbed, sockets: Sockets) -> None:
    """Requests a second with a new connection each, ab and ours in turn."""
    spec = Traffic(users=USERS, requests=REQUESTS)
    theirs, mine, sent_again = [], [], [0, 0]
    for number in range(ROUNDS):
        target = testbed.begin(ServiceSpec("rr", (1, 1))).target
        come_from(client_address(CLIENTS + number + 1))
        before = testbed.tcp_timeouts()
        theirs.append(ab(f"http://{target.host}:{target.port}/ip", REQUESTS))
        between = testbed.tcp_timeouts()
        rate, records, overloads = ours((target.host, target.port), spec, sockets)
        assert not errors(records), errors(records)
        assert not overloads, overloads
        mine.append(rate)
        sent_again[0] += between - before
        sent_again[1] += testbed.tcp_timeouts() - between
        testbed.end()
    head(f"Through the lab ({testbed.kernel['provider']}), {ROUNDS} rounds; to reach: {LIMIT:g}")
    row("new connection each", theirs, mine)
    print(f"{'retransmission timeouts':26} {sent_again[0]:>10} {sent_again[1]:>10}")


def come_from(address: str) -> None:
    """Connections to the virtual address that name no source come from this one."""
    network = Topology().plan.client_network
    subprocess.run(["ip", "addr", "add", f"{address}/24", "dev", "c0"], check=True)
    subprocess.run(["ip", "route", "replace", network, "dev", "c0", "src", address], check=True)


def held(testbed: LabTestbed, sockets: Sockets) -> None:
    """How many of HELD requests fail that are open at once."""
    target = testbed.begin(ServiceSpec("lc", (1, 1))).target
    before = testbed.tcp_timeouts()
    spec = Traffic(request="GET /delay/5", users=HELD, requests=HELD)
    _, records, overloads = ours((target.host, target.port), spec, sockets)
    open_at_once = min(r.planned_us + r.latency_us for r in records) - max(
        r.start_us for r in records
    )
    print(f"\n{HELD:,} requests of 5 s held open at once ({open_at_once / 1e6:.1f} s all together)")
    print(f"{'errors':26} {sum(errors(records).values()):>10} {dict(errors(records)) or ''}")
    print(f"{'retransmission timeouts':26} {testbed.tcp_timeouts() - before:>10}")
    for reason in overloads:
        print(reason)
    testbed.end()


if __name__ == "__main__":
    main()
