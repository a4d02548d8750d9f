"""Who watches packets at both ends of the director's cables, in memory that the kernel fills.

The sockets were made in the director's namespace (`supervisor.py`); reading them is
this process's, where the run is: a few blocks a second, without a system call.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.testbed.base import ServiceUnderTest, WatchedPackets
from ipvsload.testbed.lab import direct_routing
from ipvsload.testbed.lab.packet_columns import FrameColumns
from ipvsload.testbed.lab.packet_filter import (
    NOTHING,
    client_cable_filter,
    frame_layout,
    server_cable_filter,
)
from ipvsload.testbed.lab.packet_ring import PacketRing, RingBlock
from ipvsload.testbed.lab.seen_packets import SeenPackets, SeenService
from ipvsload.testbed.lab.topology import CABLES, Topology

MAX_PACKETS = 2_000_000
"""A run's; a plain connection has four. They take 30 MB until the run ends, and 80 MB more then."""
_AT_ONCE = 8_192
"""So many frames wait to become packets: some milliseconds of work."""
_READINGS = 8
_Times: TypeAlias = NDArray[np.int64]


class CableWatch:
    """Watches by these sockets, one for each of CABLES, and closes them.

    `refused` says why there are none; then, and where the kernel refuses, `end` says why
    it has no packets.
    """

    def __init__(self, topology: Topology, descriptors: Sequence[int], refused: str = "") -> None:
        self._topology = topology
        self._rings: list[PacketRing] = []
        self._columns: list[FrameColumns] = []
        self._seen = SeenPackets(SeenService(0, "masq", "", {}))
        self._begun = 0, 0
        self._packets = 0
        self._cpu_s = 0.0
        self._refused = refused
        self._why = ""
        try:
            for descriptor, cable in zip(descriptors, CABLES, strict=False):
                self._rings.append(PacketRing(descriptor, cable.near))
        except OSError as error:
            self._refused = f"this machine's kernel has no ring for packets: {error.strerror}"
            for descriptor in descriptors[len(self._rings) + 1 :]:
                os.close(descriptor)
            self.close()

    def begin(self, service: ServiceUnderTest) -> None:
        """Watch from now on what goes to this service and comes from it."""
        port, forwarding = service.target.port, service.forwarding
        topology, way = self._topology, FORWARDINGS[forwarding]
        family, vip = topology.family, topology.vip
        links = direct_routing.neighbours(topology) if way.direct else {}
        hosts = {bytes.fromhex(link.replace(":", "")): host for host, link in links.items()}
        self._seen = SeenPackets(SeenService(port, forwarding, topology.plan.endpoint, hosts))
        self._columns = [
            FrameColumns(frame_layout(family)),
            FrameColumns(frame_layout(family, tunnel=way.tunnel)),
        ]
        self._packets, self._cpu_s, self._why = 0, 0.0, self._refused
        filters = (
            client_cable_filter(vip, port, family),
            server_cable_filter(vip, port, family, forwarding),
        )
        self._begun = _clocks()
        with self._counted():
            for ring, program in zip(self._rings, filters, strict=False):
                ring.watch(NOTHING)
                for _ in ring.take_rest():  # of a run that broke
                    pass
                ring.dropped()
                ring.watch(program)

    def take(self) -> None:
        """Take what has been seen since; every second at least."""
        with self._counted():
            self._take(PacketRing.take)

    def end(self) -> WatchedPackets:
        """Watch no more. The times are `time.monotonic_ns()`'s."""
        with self._counted():
            for ring in self._rings:
                ring.watch(NOTHING)
            self._take(PacketRing.take_rest)
            dropped = sum(ring.dropped() for ring in self._rings)
            self._keep(0)
            table = self._seen.table(_to_monotonic(self._begun, _clocks()))
        return WatchedPackets(table, dropped, self._cpu_s, self._why)

    def _take(self, blocks: Callable[[PacketRing], Iterator[RingBlock]]) -> None:
        for ring, columns in zip(self._rings, self._columns, strict=False):
            for block in blocks(ring):
                if self._why:
                    continue
                try:
                    self._packets += columns.add(block)
                except ValueError as error:
                    self._why = str(error)
        if self._packets > MAX_PACKETS and not self._why:
            self._why = (
                f"a run's witness has room for {MAX_PACKETS:,} packets: the rest is not kept"
            )
        if self._why:
            for ring in self._rings:
                ring.watch(NOTHING)
        self._keep(_AT_ONCE)

    def _keep(self, least: int) -> None:
        """Make packets of the frames of each cable, where so many wait."""
        keeps = self._seen.at_clients, self._seen.at_servers
        for columns, keep in zip(self._columns, keeps, strict=False):
            if columns.waiting > least:
                keep(columns.all())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        begun = time.thread_time()
        try:
            yield
        finally:
            self._cpu_s += time.thread_time() - begun

    def close(self) -> None:
        """Give the sockets back: the director's namespace lives as long as they do."""
        while self._rings:
            self._rings.pop().close()


def _clocks() -> tuple[int, int]:
    """CLOCK_REALTIME, and what it is less the generator's clock; in ns."""
    readings = []
    for _ in range(_READINGS):
        before, real, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after - before, real, real - (before + after) // 2))
    return min(readings)[1:]


def _to_monotonic(begun: tuple[int, int], ended: tuple[int, int]) -> Callable[[_Times], _Times]:
    """Somebody may set the calendar's clock meanwhile, which the kernel does by degrees."""
    (first, offset), (last, offset_then) = begun, ended
    drift = (offset_then - offset) / max(1, last - first)

    def convert(times: _Times) -> _Times:
        return times - offset - ((times - first) * drift).astype(np.int64)

    return convert
