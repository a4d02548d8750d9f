"""Frames on cables, the kernel's rings of them, and what is told of each run."""

import json
import os
import socket
import subprocess
import sys
from typing import Any

import pytest

from ipvsload.testbed.base import ServiceUnderTest, Target
from ipvsload.testbed.lab.cable_watch import CableWatch
from ipvsload.testbed.lab.topology import Topology
from tests.patience import HUNG_AFTER_S

SERVICE = ServiceUnderTest(Target("", "192.0.2.80", 85), "rr", [], forwarding="masq")


@pytest.mark.kernel
def test_all_that_there_was_room_for_is_told_and_how_much_there_was_not() -> None:
    # Whoever is not root becomes it in namespaces of its own.
    user = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
    program = [*user, sys.executable, "-m", "tests.lab.watched_wires"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=HUNG_AFTER_S)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = {one["case"]: one for one in map(json.loads, done.stdout.splitlines())}
    whole = {name: one for name, one in told.items() if not name.startswith("too many")}
    assert all((one["dropped"], one["why"]) == (0, "") for one in whole.values())
    assert told["a few"]["kinds"] == {"ASKED": 1_000}
    assert told["a few"]["in_time"]
    assert told["none"]["kinds"] == {}
    assert told["after that"]["kinds"] == {"ASKED": 500}
    assert told["many in turn"]["kinds"] == {"ASKED": told["many in turn"]["sent"]}
    at_once = told["too many at once"]
    assert at_once["kinds"]["ASKED"] + at_once["dropped"] == at_once["sent"]
    assert at_once["dropped"] > 0
    director = told["from the director"]
    assert director["order"] == ["ASKED", "CHOSEN", "SERVER_FIN", "CLIENT_FIN"]
    assert director["servers"] == ["", "198.51.100.11:80"]
    assert "room for 10,000 packets" in told["too many"]["why"]
    assert 10_000 < told["too many"]["kinds"]["ASKED"] < 40_000


@pytest.mark.parametrize("right", [True, False])
def test_where_packets_cannot_be_watched_it_says_why(right: bool) -> None:
    # Sockets that have no ring.
    sockets = [one.detach() for one in socket.socketpair()] if right else []
    watch = CableWatch(Topology(), sockets, "" if right else "no rights")
    watch.begin(SERVICE)
    watch.take()
    seen = watch.end()
    watch.close()
    assert (len(seen.table), seen.dropped) == (0, 0)
    assert seen.why.startswith("this machine's kernel has no ring" if right else "no rights")
    for descriptor in sockets:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
