"""The hashing schedulers and persistence beside a real kernel: same client, same server."""

from contextlib import closing

import pytest

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.lab.broker_client import LabSockets
from ipvsload.testbed.lab.lab_testbed import LabTestbed
from ipvsload.testbed.lab.topology import Topology
from tests.ipvs_model.asking_many import Asked, ask_many, disagreements

WEIGHTS = 3, 1, 10, 2
FEW = 60
IPV4 = (
    ("dh", BalancerSettings(), FEW),
    ("sh", BalancerSettings(), 300),
    ("sh", BalancerSettings(flags=("sh-port",)), 1_000),
    ("sh", BalancerSettings(flags=("sh-port", "sh-fallback")), FEW),
    ("mh", BalancerSettings(), 300),
    ("mh", BalancerSettings(flags=("mh-port",)), 1_000),
    ("mh", BalancerSettings(flags=("mh-port", "mh-fallback")), FEW),
    ("sh", BalancerSettings(flags=("sh-port",), persistence=300), 200),
    (
        "mh",
        BalancerSettings(
            flags=("mh-port",),
            persistence=300,
            netmask=29,
            sysctls={"expire_quiescent_template": 1},
        ),
        200,
    ),
)
IPV6 = (
    ("dh", BalancerSettings(), FEW),
    ("sh", BalancerSettings(flags=("sh-port",)), 200),
    ("mh", BalancerSettings(flags=("mh-port", "mh-fallback")), 200),
    ("mh", BalancerSettings(flags=("mh-port",), persistence=300, netmask=125), 200),
)
Variants = tuple[tuple[str, BalancerSettings, int], ...]


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("kernel", "family", "variants"), [("uml", "ipv4", IPV4), ("uml", "ipv6", IPV6)]
)
def test_each_client_and_port_has_the_kernels_server(
    kernel: str, family: str, variants: Variants
) -> None:
    topology = Topology(servers=len(WEIGHTS) + 1, clients=100, family=family)
    with closing(LabTestbed(topology, kernel=kernel, schedulers=["dh", "sh", "mh"])) as testbed:
        testbed.start()
        testbed.wait_ready()
        with closing(LabSockets(testbed.socket_broker)) as sockets:
            for name, settings, many in variants:
                _same_servers(testbed, sockets, name, settings, many)


def _same_servers(
    testbed: LabTestbed, sockets: LabSockets, name: str, settings: BalancerSettings, many: int
) -> None:
    service = testbed.begin(ServiceSpec(name, WEIGHTS, settings=settings))
    model = DirectorModel(
        ServiceSettings(
            name,
            service.target.host,
            frozenset(settings.flags),
            persistence=settings.persistence,
            netmask=settings.netmask,
            sysctls=settings.sysctls,
        )
    )
    for address, weight in service.servers:
        model.join(address, weight)

    def ask(count: int) -> Asked:
        asked = ask_many(sockets, service.target, count)
        assert list(disagreements(model, asked, 0)) == [], (name, settings)
        return asked

    answered = {server for _, server in ask(many)}
    assert None not in answered
    assert (len(answered) == 1) == (name == "dh")

    testbed.set_weight(service.servers[2][0], 0)
    model.set_weight(2, 0)
    ask(FEW)

    testbed.remove_server(service.servers[1][0])
    model.leave(1, 0)
    assert model.join(testbed.add_server(4), 4) == len(WEIGHTS)
    ask(FEW)

    testbed.set_balancer("mh")
    model.set_scheduler("mh")
    ask(FEW)
    testbed.end()
