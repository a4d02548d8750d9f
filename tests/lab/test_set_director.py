"""What a scenario sets beside a scheduler: the kernel has it for the run, and not after it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from ipvsload.ipvs.schedulers import PERSISTENT, flag_names
from ipvsload.ipvs.table import VirtualService
from ipvsload.record.sidecar_stream import Pong, Reading, Settings, SidecarParser
from ipvsload.scenario.variant import Variant
from ipvsload.testbed.base import ServiceSpec, SidecarPipe
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology

pytestmark = pytest.mark.kernel

ALL = Variant.model_validate(
    {
        "scheduler": "sh",
        "flags": ["sh-port"],
        "persistence": "60s",
        "netmask": 24,
        "sysctls": {"conn_reuse_mode": 0, "expire_nodest_conn": 1},
        "timeouts": {"tcp": "30s", "tcpfin": "5s"},
        "label": "all-of-it",
    }
).settings
NODES = {"director-1", "director-2"}


class Told:
    """What the sidecar tells after a ping, until each director has shown a service."""

    def __init__(self, pipe: SidecarPipe) -> None:
        self._pipe, self._parser = pipe, SidecarParser()
        self.settings: dict[str, Settings] = {}

    def _messages(self) -> Iterator[object]:
        while True:
            yield from self._parser.feed(self._pipe.recv(1 << 16))

    def services(self, key: str) -> dict[str, VirtualService]:
        self._pipe.sendall(b"ping 1\n")
        found: dict[str, VirtualService] = {}
        answered = False
        for message in self._messages():
            answered = answered or isinstance(message, Pong)
            if isinstance(message, Settings):
                self.settings[message.node] = message
            if isinstance(message, Reading) and answered:
                found |= [(message.node, one) for one in message.services if one.key == key]
                if set(found) == NODES:
                    return found
        raise AssertionError


@pytest.mark.parametrize("kernel", ["uml", "qemu"])
def test_it_is_there_for_the_run_and_gone_after_it(kernel: str) -> None:
    topology = Topology(servers=1, clients=2, directors=2, spread="client")
    with closing(LabTestbed(topology, kernel=kernel, schedulers=["sh", "rr"])) as testbed:
        testbed.start()
        testbed.wait_ready()
        assert testbed.refused_settings(ALL) == ""
        pipe = testbed.open_samples(20)
        told = Told(pipe)
        begun = testbed.begin(ServiceSpec("sh", (1,), settings=ALL))
        assert begun.netmask == 24
        for service in told.services(begun.target.key).values():
            assert flag_names("sh", service.flags) == ["sh-port"]
            assert service.flags & PERSISTENT
            assert service.persistent_timeout == 60
        for node in NODES:
            sysctls = told.settings[node].sysctls
            assert (sysctls["conn_reuse_mode"], sysctls["expire_nodest_conn"]) == (0, 1)
            assert told.settings[node].timeouts == {"tcp": 30, "tcp_fin": 5, "udp": 300}
        testbed.end()
        begun = testbed.begin(ServiceSpec("rr", (1,)))
        assert begun.netmask is None
        for service in told.services(begun.target.key).values():
            assert not service.persistent_timeout
        for node in NODES:
            sysctls = told.settings[node].sysctls
            assert (sysctls["conn_reuse_mode"], sysctls["expire_nodest_conn"]) == (1, 0)
            assert told.settings[node].timeouts == {"tcp": 900, "tcp_fin": 120, "udp": 300}
        pipe.close()
