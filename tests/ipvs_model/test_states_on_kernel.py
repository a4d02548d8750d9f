"""What a real kernel counts for connections that are held, ended, reset and refused."""

import errno
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.record.sidecar_stream import Reading, SidecarParser
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.testbed.base import ServiceSpec, SidecarPipe, Target
from ipvsload.testbed.lab.broker_client import plain_socket
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology, client_address
from tests.patience import HUNG_AFTER_S

HELD, ENDED, HALF_CLOSED, RESET, REFUSED = (Client(client_address(1), 2048 + n) for n in range(5))
RATE = 50
SAMPLES = RATE * HUNG_AFTER_S
TICK = 10_000_000
MOMENT = 5 * 10**9


class _Shown:
    """Active and inactive connections of a service's one server, as they are sampled."""

    def __init__(self, pipe: SidecarPipe) -> None:
        self._pipe, self._parser = pipe, SidecarParser()

    def until(self, key: str, expected: tuple[int, int]) -> None:
        shown: list[tuple[int, int]] = []
        while expected not in shown:
            assert len(shown) < SAMPLES, f"{expected} expected, shown {set(shown)}"
            data = self._pipe.recv(65536)
            assert data
            readings = (one for one in self._parser.feed(data) if isinstance(one, Reading))
            services = (service for reading in readings for service in reading.services)
            servers = [one for service in services if service.key == key for one in service.servers]
            shown += [(server.active, server.inactive) for server in servers]


@pytest.mark.kernel
@pytest.mark.parametrize("kernel", ["uml"])
def test_the_kernel_counts_what_the_model_counts(kernel: str) -> None:
    topology = Topology(servers=2, direct=("dr",))
    with closing(LabTestbed(topology, kernel=kernel, schedulers=["rr"])) as testbed:
        testbed.start()
        testbed.wait_ready()
        with closing(testbed.open_samples(RATE)) as pipe:
            shown = _Shown(pipe)
            for forwarding in ("masq", "dr"):
                _same_counts(testbed, shown, forwarding)
                _same_resets(testbed, shown, forwarding)
        for forwarding, mode in (("masq", 0), ("masq", 1), ("dr", 1), ("dr", 2)):
            _same_choices(testbed, forwarding, mode)


class _Beside:
    """A service of one server that has just been made, and its model."""

    def __init__(self, testbed: LabTestbed, shown: _Shown, forwarding: str) -> None:
        service = testbed.begin(ServiceSpec("rr", (1,), forwarding=forwarding))
        (self.address, _), self.target = service.servers[0], service.target
        self.model = DirectorModel(ServiceSettings("rr", self.target.host, forwarding=forwarding))
        self.model.join(self.address, 1)
        self._shown = shown

    def agree(self, now_ns: int) -> tuple[int, int]:
        """The kernel's counts become the model's."""
        self.model.expire(now_ns)
        expected = int(self.model.servers.active[0]), int(self.model.servers.inactive[0])
        self._shown.until(self.target.key, expected)
        return expected


def _same_counts(testbed: LabTestbed, shown: _Shown, forwarding: str) -> None:
    beside = _Beside(testbed, shown, forwarding)
    model, target, agree = beside.model, beside.target, beside.agree
    with ExitStack() as stack:
        model.opened(HELD, 0, 0)
        stack.enter_context(_connected(testbed, target, HELD))
        assert agree(0) == (1, 0)

        model.opened(ENDED, 0, 0)
        model.closing(ENDED, Side.SERVER, 0)
        with _connected(testbed, target, ENDED) as asking:
            asking.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while asking.recv(4096):
                pass
            assert agree(0) == ((1, 1) if forwarding == "masq" else (2, 0))
        model.closing(ENDED, Side.CLIENT, 0)
        assert agree(0) == (1, 1)

        model.opened(HALF_CLOSED, 0, 0)
        model.closing(HALF_CLOSED, Side.CLIENT, 0)
        half = stack.enter_context(_connected(testbed, target, HALF_CLOSED))
        half.shutdown(socket.SHUT_WR)
        assert agree(0) == (1, 2)

        # The same port again: where both ends were seen the old entry goes.
        model.opened(ENDED, 0, TICK)
        stack.enter_context(_connected(testbed, target, ENDED))
        assert agree(2 * TICK + MOMENT) == (2, 1)

        # Who is killed resets what is open.
        for client in (HELD, ENDED):
            model.reset(client, Side.SERVER, MOMENT)
        testbed.fault_server(beside.address, "kill")
        assert agree(MOMENT) == ((0, 3) if forwarding == "masq" else (2, 1))
    testbed.end()


def _same_resets(testbed: LabTestbed, shown: _Shown, forwarding: str) -> None:
    """Each has a service of its own: the kernel forgets it after 10 s, whatever takes so long."""
    beside = _Beside(testbed, shown, forwarding)
    beside.model.opened(RESET, 0, 0)
    with _connected(testbed, beside.target, RESET) as resetting:
        resetting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert beside.agree(0) == (1, 0)
    beside.model.reset(RESET, Side.CLIENT, 0)
    assert beside.agree(0) == (0, 1)
    testbed.end()

    beside = _Beside(testbed, shown, forwarding)
    testbed.fault_server(beside.address, "kill")
    beside.model.opened(REFUSED, 0, 0, answered=False)
    beside.model.reset(REFUSED, Side.SERVER, 0)
    with pytest.raises(ConnectionRefusedError), _connected(testbed, beside.target, REFUSED):
        pass
    assert beside.agree(0) == ((0, 1) if forwarding == "masq" else (1, 0))
    testbed.end()


def _same_choices(testbed: LabTestbed, forwarding: str, mode: int) -> None:
    """One port again and again, under this conn_reuse_mode."""
    sysctls = {"conn_reuse_mode": mode}
    settings = BalancerSettings(sysctls=sysctls)
    service = testbed.begin(ServiceSpec("rr", (1, 1), forwarding=forwarding, settings=settings))
    model = DirectorModel(
        ServiceSettings("rr", service.target.host, forwarding=forwarding, sysctls=sysctls)
    )
    for address, weight in service.servers:
        model.join(address, weight)
    # Servers know a connection by its client: each service must have a client of its own.
    client = Client(client_address(1), 3_000 + service.target.port)
    for turn in range(3):
        with _connected(testbed, service.target, client) as asking:
            asking.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: asking.recv(4096), b"")).decode()
        number = model.choose(client, turn)
        assert number is not None
        model.opened(client, number, turn)
        for side in (Side.SERVER, Side.CLIENT):
            model.closing(client, side, turn)
        expected = model.servers.addresses[number]
        assert f"X-Real-Server: {expected}\r\n" in answer, (forwarding, mode, turn)
    testbed.end()


@contextmanager
def _connected(testbed: LabTestbed, target: Target, client: Client) -> Iterator[socket.socket]:
    with plain_socket(testbed.socket_broker) as connection:
        connection.settimeout(HUNG_AFTER_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind(client)
        for _ in range(SAMPLES):
            try:
                connection.connect((target.host, target.port))
                break
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:
                    raise
            time.sleep(0.01)  # the port's last connection is not over yet
        yield connection
