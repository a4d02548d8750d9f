"""Machines on one network, as far as a program can tell: a network namespace each.

`python -m tests.locust_plugin.machines COUNT` prints a process id for each machine, whose
namespaces are the machine's, and lives until its stdin is closed. Machine N has the
address 192.0.2.N. Lines on stdin: `delay MILLISECONDS` (one way), `down N` (the link of
machine N is lost: nothing more comes from it, and nobody is told).

Delay and loss are those of a relay in user space, between the machines' cables. The
kernel's own (`tc qdisc ... netem`) would be nearer to the truth, but many kernels, and
those that this project is tested on, are built without it (CONFIG_NET_SCH_NETEM).
"""

import heapq
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from ipvsload.testbed.lab import namespaces
from ipvsload.testbed.lab.network import run_ip
from tests.patience import HUNG_AFTER_S

_ETH_P_ALL = 3
_PACKET_OUTGOING = 4
_SOL_PACKET, _PACKET_VNET_HDR = 263, 15
_LARGEST = 70_000


def address(number: int) -> str:
    """The address of machine `number`, from 1."""
    return f"192.0.2.{number}"


class Machines:
    """The network, seen from a test; `pids` has a process of each machine's, by its number."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout
        line = process.stdout.readline()
        assert line, "there are no machines: see the error of the process"
        self.pids: dict[int, int] = dict(enumerate(json.loads(line), 1))

    def on(self, number: int) -> tuple[str, ...]:
        """The words before a command that is to run on machine `number`."""
        pid = str(self.pids[number])
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        return ("nsenter", "--target", pid, *user, "--net", "--")

    def tell(self, line: str) -> None:
        """One line; it is done on return."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


@contextmanager
def machines(number: int) -> Iterator[Machines]:
    """So many machines; they go with everything that runs on them."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.locust_plugin.machines", str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Machines(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(HUNG_AFTER_S)


class Relay:
    """Carries each frame from its cable to all the others, a moment later."""

    def __init__(self, cables: list[str]) -> None:
        self.delay_s = 0.0
        self._order = count()
        self._due: list[tuple[float, int, str, bytes]] = []
        self._selector = selectors.DefaultSelector()
        self._ports: dict[str, socket.socket] = {}
        for cable in cables:
            port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            # Frames have checksums and sizes that a card would finish: carry that along.
            port.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
            port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            port.bind((cable, _ETH_P_ALL))
            port.setblocking(False)
            self._ports[cable] = port
            self._selector.register(port, selectors.EVENT_READ, cable)
        self._selector.register(sys.stdin, selectors.EVENT_READ, "")

    def run(self) -> None:
        """Until stdin is closed."""
        while True:
            wait = self._due[0][0] - time.monotonic() if self._due else None
            for key, _ in self._selector.select(None if wait is None else max(0.0, wait)):
                if key.data:
                    self._receive(key.data)
                elif not self._told(sys.stdin.readline()):
                    return
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, cable, frame = heapq.heappop(self._due)
                self._send(cable, frame)

    def _receive(self, cable: str) -> None:
        while True:
            try:
                frame, where = self._ports[cable].recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                return  # the link is down
            if where[2] != _PACKET_OUTGOING:  # else it is one of ours
                due = time.monotonic() + self.delay_s
                heapq.heappush(self._due, (due, next(self._order), cable, frame))

    def _send(self, came_from: str, frame: bytes) -> None:
        for cable, port in self._ports.items():
            if cable != came_from:
                # The link may be down, or its queue full: then the frame is lost.
                with suppress(OSError):
                    port.send(frame)

    def _told(self, line: str) -> bool:
        word, _, value = line.strip().partition(" ")
        match word:
            case "delay":
                self.delay_s = float(value) / 1000
            case "down":
                run_ip(f"link set m{value} down")
            case _:
                return False
        say("done")
        return True


def machine() -> int:
    """A process in a network namespace of its own, which lives as long as this one."""
    ready, tell = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        namespaces.die_with_parent(parent)
        namespaces.unshare(namespaces.CLONE_NEWNET)
        os.write(tell, b".")
        while True:
            time.sleep(3600)
    os.read(ready, 1)
    return pid


def on_machine(pid: int, batch: str) -> None:
    """Run `ip -batch` in the namespace of a machine."""
    words = ["nsenter", "--target", str(pid), "--net", "ip", "-batch", "-"]
    subprocess.run(words, input=batch, text=True, check=True)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def main() -> None:
    if os.geteuid() != 0:
        namespaces.become_root_in_user_namespace()
    namespaces.unshare(namespaces.CLONE_NEWNET)
    numbers = range(1, int(sys.argv[1]) + 1)
    pids = {number: machine() for number in numbers}
    for number, pid in pids.items():
        run_ip(f"link add m{number} type veth peer name eth0 netns {pid}\nlink set m{number} up")
        on_machine(
            pid,
            f"link set lo up\naddr add {address(number)}/24 dev eth0\nlink set eth0 up\n",
        )
    relay = Relay([f"m{number}" for number in numbers])
    say(json.dumps(list(pids.values())))
    relay.run()


if __name__ == "__main__":
    main()
