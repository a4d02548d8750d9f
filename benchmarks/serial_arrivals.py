"""Connections one after the other through the lab's director, each beside the model's choice.

Their order is known, so nothing has to watch packets: an answer names its real server. In
the first half one connection is held open beside short ones, which tells the laws of lc and its
kin apart; in the second half some are held, weights change to 0 and back, servers join and leave,
and at the end another scheduler takes over.
"""

import socket
import time
from collections.abc import Iterator, Mapping
from random import Random
from typing import NamedTuple

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology

LAB = Topology(servers=8, clients=20)
FIRST_WEIGHTS = (3, 1, 0, 2, 4)
_WEIGHTS = (0, 1, 1, 2, 3, 6)
_HELD = 24
# The kernel tells one client of so many refusals at once, and then of one a second
# (net.ipv4.icmp_ratelimit); others would send their SYN again.
_REFUSALS = 4
_TIMEOUT_S = 20.0


class Column(NamedTuple):
    """A scheduler with flags of its own."""

    scheduler: str
    flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.scheduler, *self.flags))


def columns() -> Iterator[Column]:
    """Every scheduler that leaves nothing to chance, without its flags and with all of them."""
    for name, scheduler in SCHEDULERS.items():
        if name in RULES and not RULES[name].by_chance:
            yield Column(name)
            if scheduler.flags:
                yield Column(name, tuple(flag for flag, _ in scheduler.flags))


class Agreement(NamedTuple):
    """How many connections were opened, to whom, and where the kernel chose another server."""

    connections: int
    served: Mapping[str, int]
    mismatches: list[str]

    @property
    def matched(self) -> int:
        """Those whose server was the model's."""
        return self.connections - len(self.mismatches)


def agreement(
    testbed: LabTestbed, sockets: LabSockets, column: Column, connections: int, seed: int = 1
) -> Agreement:
    """Play so many connections in a service of their own."""
    settings = BalancerSettings(flags=column.flags)
    service = testbed.begin(ServiceSpec(column.scheduler, FIRST_WEIGHTS, settings=settings))
    course = _Course(testbed, sockets, column, seed)
    for address, weight in service.servers:
        course.model.join(address, weight)
    try:
        course.play((service.target.host, service.target.port), connections)
    finally:
        course.close()
        testbed.end()
    return Agreement(course.connections, course.served, course.mismatches)


class _Course:
    def __init__(self, testbed: LabTestbed, sockets: LabSockets, column: Column, seed: int) -> None:
        law = testbed.kernel.get("lc_law", 256)
        self.model = DirectorModel(
            ServiceSettings(column.scheduler, LAB.vip, flags=frozenset(column.flags), lc_law=law)
        )
        self.connections = 0
        self.served: dict[str, int] = {}
        self.mismatches: list[str] = []
        self._testbed, self._sockets, self._random = testbed, sockets, Random(seed)
        self._scheduler = column.scheduler
        self._held: list[tuple[Client, socket.socket]] = []
        self._refusals = 0
        self._taken_over = False

    def play(self, target: tuple[str, int], connections: int) -> None:
        joins = {connections * part // 16 for part in (9, 11, 13)}
        leaves = {connections * part // 16 for part in (10, 14)}
        while self.connections < connections // 2:
            self._open(target, hold=not self._held)
        while self.connections < connections:
            if self.connections in joins:
                joins.remove(self.connections)
                weight = self._random.choice(_WEIGHTS)
                self.model.join(self._testbed.add_server(weight), weight)
            if self.connections in leaves:
                leaves.remove(self.connections)
                self._leave()
            if self.connections >= connections * 15 // 16 and not self._taken_over:
                self._take_over()
            kind = self._random.random()
            if kind < 0.04:
                self._reweigh()
            elif kind < 0.15 and self._held:
                self._release()
            else:
                self._open(target, hold=kind < 0.3 and len(self._held) < _HELD)

    def close(self) -> None:
        while self._held:
            self._release()

    def _open(self, target: tuple[str, int], *, hold: bool) -> None:
        plain, address, port = self._sockets.take()
        client = Client(address, port)
        now = time.monotonic_ns()
        predicted = self.model.choose(client, now)
        sock = socket.socket(plain.family, plain.type, 0, plain.detach())
        sock.settimeout(_TIMEOUT_S)
        if predicted is None:
            self._refusals += 1
            if self._refusals > _REFUSALS:
                sock.close()
                if self._held:
                    self._release()
                else:
                    self._reweigh()
                return
        served = _ask(sock, target, hold=hold)
        chosen = None if served is None else self.model.servers.addresses.index(served)
        if chosen != predicted:
            self.mismatches.append(self._mismatch(client, chosen, predicted))
        self.connections += 1
        if chosen is None:
            sock.close()
            return
        self.served[str(served)] = self.served.get(str(served), 0) + 1
        self.model.opened(client, chosen, now)
        if hold:
            self._held.append((client, sock))
        else:
            sock.close()
            self.model.closing(client, Side.SERVER, now)
            self.model.closing(client, Side.CLIENT, now)

    def _release(self) -> None:
        client, sock = self._held.pop(self._random.randrange(len(self._held)))
        sock.close()
        now = time.monotonic_ns()
        self.model.closing(client, Side.CLIENT, now)
        self.model.closing(client, Side.SERVER, now)

    def _present(self) -> list[int]:
        servers = self.model.servers
        return [n for n in range(len(servers)) if servers.present[servers.place(n)]]

    def _reweigh(self) -> None:
        number, weight = self._random.choice(self._present()), self._random.choice(_WEIGHTS)
        self._testbed.set_weight(self.model.servers.addresses[number], weight)
        self.model.set_weight(number, weight)

    def _leave(self) -> None:
        number = self._random.choice(self._present())
        self._testbed.remove_server(self.model.servers.addresses[number])
        self.model.leave(number, 0)

    def _take_over(self) -> None:
        self._taken_over = True
        other = next(name for name in ("wrr", "rr") if name != self._scheduler)
        self._testbed.set_balancer(other)
        self.model.set_scheduler(other)

    def _mismatch(self, client: Client, chosen: int | None, predicted: int | None) -> str:
        servers, rule = self.model.servers, self.model.rule
        state = "; ".join(
            f"{number}: weight {servers.weights[place]}, {servers.active[place]} active,"
            f" {servers.inactive[place]} inactive, score {rule.score(number)}"
            for number in self._present()
            for place in (servers.place(number),)
        )
        return (
            f"connection {self.connections + 1} of {client.address}:{client.port}:"
            f" the kernel chose {chosen}, the model {predicted} ({state})"
        )


def _ask(sock: socket.socket, target: tuple[str, int], *, hold: bool) -> str | None:
    """The real server that answers; None where the director refuses. Returns after its FIN."""
    try:
        sock.connect(target)
    except ConnectionRefusedError:
        return None
    kind = "keep-alive" if hold else "close"
    sock.sendall(f"HEAD /ip HTTP/1.1\r\nHost: there\r\nConnection: {kind}\r\n\r\n".encode())
    answer = b""
    while data := sock.recv(4096):
        answer += data
        if hold and answer.endswith(b"\r\n\r\n"):
            break
    return answer.decode().partition("X-Real-Server: ")[2].split()[0]
