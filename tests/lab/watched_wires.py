"""A program: cables that are watched, in namespaces of its own, and what is seen of frames there.

It prints a line of JSON for each case. Without a director: frames are sent as clients would, and
as a director would.
"""

import json
import os
import socket
import sys
import time
from collections import Counter

from ipvsload.testbed.base import ServiceUnderTest, Target, WatchedPackets
from ipvsload.testbed.lab import cable_watch, network
from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab.cable_watch import CableWatch
from ipvsload.testbed.lab.packet_ring import BLOCK, BLOCKS
from ipvsload.testbed.lab.topology import CABLES, CLIENT_CABLE, Topology
from tests.lab.frames import FIN, PORT, SYN, Frame

CLIENT, SERVER = "192.0.2.101", "198.51.100.11"
LAB = Topology(servers=1)
SERVICE = ServiceUnderTest(Target("", LAB.vip, PORT), "rr", [], forwarding="masq")
RING = BLOCK * BLOCKS // 136  # packets, at most
PIECE = 10_000


def main() -> None:
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    far = ns.new_network()
    ns.new_network()
    there = f"/proc/{os.getpid()}/fd/{far}"
    network.configure(network.WIRE_SYSCTLS, network.wires(there, there))
    watch = CableWatch(LAB, [packet_socket().detach() for _ in CABLES])
    sent, answered = (packet_socket((cable.near, 0)) for cable in CABLES)
    ns.setns(far)
    for cable in CABLES:
        network.run_ip(f"link set {cable.far} up")
    clients = packet_socket((CLIENT_CABLE.far, 0))

    def ask(count: int, begin: int = 0) -> None:
        for frame in (asked(2048 + n % 60_000) for n in range(begin, begin + count)):
            clients.send(frame)

    def case(name: str, seen: WatchedPackets, **more: object) -> None:
        kinds = Counter(packet.kind.name for packet in seen.table)
        told = {"dropped": seen.dropped, "why": seen.why, "servers": seen.table.servers, **more}
        sys.stdout.write(json.dumps({"case": name, "kinds": kinds, **told}) + "\n")

    begun = time.monotonic_ns()
    watch.begin(SERVICE)
    ask(1_000)
    seen = watch.end()
    times = [packet.t_ns for packet in seen.table]
    case("a few", seen, in_time=begun < times[0] and times[-1] < time.monotonic_ns())
    watch.begin(SERVICE)
    case("none", watch.end())
    for case_name, count in (("too many at once", RING + PIECE), ("after that", 500)):
        watch.begin(SERVICE)
        ask(count)
        case(case_name, watch.end(), sent=count)
    watch.begin(SERVICE)
    for number in range(3 * RING // 2 // PIECE):
        ask(PIECE, number * PIECE)
        watch.take()
    case("many in turn", watch.end(), sent=3 * RING // 2 // PIECE * PIECE)
    watch.begin(SERVICE)
    ask(1)
    for sender, frame in ((answered, chosen(SYN)), (sent, answer()), (answered, chosen(FIN))):
        sender.send(frame)
    seen = watch.end()
    case("from the director", seen, order=[packet.kind.name for packet in seen.table])
    cable_watch.MAX_PACKETS = PIECE
    watch.begin(SERVICE)
    for _ in range(4):
        ask(PIECE)
        watch.take()
    case("too many", watch.end())
    watch.close()


def packet_socket(bound: tuple[str, int] | None = None) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    if bound:
        made.bind(bound)
    return made


def asked(port: int) -> bytes:
    """A client's SYN."""
    return Frame(False, CLIENT, port, LAB.vip, PORT, SYN).raw()


def chosen(flags: int) -> bytes:
    """What the director sends on to a server."""
    return Frame(True, CLIENT, 2048, SERVER, 80, flags).raw()


def answer() -> bytes:
    """The end of a server's answer, as the director sends it on."""
    return Frame(True, LAB.vip, PORT, CLIENT, 2048, FIN).raw()


if __name__ == "__main__":
    main()
