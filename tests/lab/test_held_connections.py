"""Thousands of requests that are open at once, and whose answers are all due at the same moment."""

import errno
import os
import select
import struct
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ipvsload.descriptors import raise_limit
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.guest_cards import packet_sockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology
from tests.patience import HUNG_AFTER_S

HELD = 3_000
AT_ONCE = 50
SECONDS = 3.0
_SOL_PACKET, _PACKET_STATISTICS = 263, 6  # include/uapi/linux/if_packet.h


def guests() -> Iterator[int]:
    """User-mode kernels below this process."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found = path.read_bytes().startswith(b"linux.uml\0")
        except OSError:  # it has just ended
            continue
        if found and is_below_us(int(path.parent.name)):
            yield int(path.parent.name)


def is_below_us(pid: int) -> bool:
    while pid > 1 and pid != os.getpid():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()


def lost_before_cards() -> int:
    """Packets for which the director's cards had no room since this was asked last."""
    cards = list(packet_sockets(min(guests())))
    assert len(cards) == 4
    lost = 0
    for card in cards:
        with closing(card):
            lost += struct.unpack("II", card.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]
    return lost


@pytest.mark.kernel
def test_no_packet_is_lost_before_the_director_and_each_request_is_answered() -> None:
    raise_limit()
    testbed = LabTestbed(Topology(), kernel="uml", watched=False)
    testbed.start()
    try:
        testbed.wait_ready()
        target = testbed.begin(ServiceSpec("lc", (1, 1))).target
        sockets = LabSockets(testbed.socket_broker)
        lost_before_cards()  # from now on
        held = []
        due = time.monotonic() + SECONDS
        for _ in range(HELD // AT_ONCE):
            begun = [sockets.take()[0] for _ in range(AT_ONCE)]
            poll = select.poll()
            for sock in begun:
                assert sock.connect_ex((target.host, target.port)) == errno.EINPROGRESS
                poll.register(sock.fileno(), select.POLLOUT)
            by_descriptor = {sock.fileno(): sock for sock in begun}
            while by_descriptor:
                ready = poll.poll(HUNG_AFTER_S * 1000)
                assert ready
                for descriptor, _ in ready:
                    poll.unregister(descriptor)
                    left = max(0.1, due - time.monotonic())
                    ask = b"GET /delay/%.6f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % left
                    by_descriptor.pop(descriptor).send(ask)
            held += begun
        for sock in held:
            sock.settimeout(HUNG_AFTER_S)
            assert sock.recv(65_536).startswith(b"HTTP/1.1 200 ")
            assert sock.recv(1) == b""
            sock.close()
        assert lost_before_cards() == 0
        sockets.close()
    finally:
        testbed.close()
