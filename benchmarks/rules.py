"""Each scheduler's choices beside its rule's, connection by connection, one at a time.

Run as `python -m benchmarks.rules [KERNEL...]`, by default `uml qemu`.
"""

import sys
import time
from contextlib import closing

from benchmarks.serial_arrivals import LAB, agreement, columns
from ipvsload.errors import TestbedError
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed

CONNECTIONS = 2_000
_SHOWN = 3


def main() -> None:
    """Print a line for each scheduler and kernel."""
    print(f"to reach: all of {CONNECTIONS:,} connections, one at a time, some held open")
    print(f"{'kernel':7} {'law':>4} {'scheduler':26} {'matched':>15} {'servers':>8} {'seconds':>8}")
    for kernel in sys.argv[1:] or ["uml", "qemu"]:
        try:
            with closing(LabTestbed(LAB, kernel=kernel)) as testbed:
                testbed.start()
                testbed.wait_ready()
                each(testbed)
        except TestbedError as error:
            print(f"{kernel}: {error}", flush=True)


def each(testbed: LabTestbed) -> None:
    """All of them in one lab."""
    missing = testbed.missing_balancers([column.scheduler for column in columns()])
    kernel = testbed.kernel
    with closing(LabSockets(testbed.socket_broker)) as sockets:
        for column in columns():
            where = f"{kernel['provider']:7} {kernel.get('lc_law', ''):>4} {column!s:26}"
            if column.scheduler in missing:
                print(f"{where} {'not in this kernel':>15}", flush=True)
                continue
            began = time.monotonic()
            found = agreement(testbed, sockets, column, CONNECTIONS)
            print(
                f"{where} {found.matched:>6,} of {found.connections:,} {len(found.served):>8}"
                f" {time.monotonic() - began:>8.1f}",
                flush=True,
            )
            for mismatch in found.mismatches[:_SHOWN]:
                print(f"    {mismatch}", flush=True)


if __name__ == "__main__":
    main()
