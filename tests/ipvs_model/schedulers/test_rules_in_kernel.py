"""Each rule beside a real kernel, connection by connection: held ones, weight 0, joins, leaves."""

from contextlib import closing

import pytest

from benchmarks.serial_arrivals import LAB, agreement, columns
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed

CONNECTIONS = 128


@pytest.mark.kernel
def test_every_scheduler_chooses_as_its_rule_says() -> None:
    found = {}
    with closing(LabTestbed(LAB, kernel="uml")) as testbed:
        testbed.start()
        testbed.wait_ready()
        with closing(LabSockets(testbed.socket_broker)) as sockets:
            for column in columns():
                found[str(column)] = agreement(testbed, sockets, column, CONNECTIONS)
    assert {"rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf", "lblc", "lblcr"} <= set(found)
    assert len(found["rr"].served) > 4
    assert {name: agreed.mismatches for name, agreed in found.items() if agreed.mismatches} == {}
