"""The testbed `model`: directors, real servers and clients that are nowhere but here.

It has what the lab has, with the same addresses and ports, and does what is asked of it at once.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ipvsload import __version__
from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.ipvs.keys import join_key
from ipvsload.ipvs.lc_laws import USUAL_LC_LAW
from ipvsload.ipvs_model.director_model import ServiceSettings
from ipvsload.ipvs_model.tcp_states import TcpTimeouts
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.scenario.balancers import find
from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.model_rule import model_rule
from ipvsload.scenario.server_conditions import ServerFault
from ipvsload.simulate.model_directors import ModelDirectors
from ipvsload.simulate.model_network import ModelNetwork
from ipvsload.simulate.model_server import ModelServer
from ipvsload.simulate.model_watch import ModelWatch
from ipvsload.simulate.virtual_time import VirtualTime
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, Target
from ipvsload.testbed.lab.source_ports import SourcePorts
from ipvsload.testbed.lab.topology import FIRST_SERVICE_PORT, Topology, server_address
from ipvsload.testbed.lab.worker_pool import Limits

_KNOWN_SYSCTLS = ("conn_reuse_mode", "expire_nodest_conn", "expire_quiescent_template")
"""Those whose doing the model follows."""


class ModelTestbed:
    """A testbed with the parts of `topology` on the clock `time`."""

    exclusive = True
    lacks: Mapping[Capability, str] = MappingProxyType({})

    def __init__(self, topology: Topology, time: VirtualTime) -> None:
        self.time = time
        self.max_real_servers = topology.servers
        self.kernel: dict[str, Any] = {
            "release": __version__,
            "provider": "model",
            "lc_law": USUAL_LC_LAW,
        }
        self.servers: list[ModelServer] = []
        """Those that have joined this run, by number from 0 on."""
        self.spec = ServiceSpec("")
        self.directors: ModelDirectors
        self.network: ModelNetwork
        self.packet_watch: ModelWatch
        self._topology = topology
        self._ports = SourcePorts(topology.client_addresses, topology)
        self._timeouts = 0
        self._begin(self.spec, "rr")

    @property
    def first_client(self) -> str:
        """One of the addresses that the load comes from."""
        return self._topology.client_addresses[0]

    @property
    def key(self) -> str:
        """The service's name in samples."""
        return join_key(self._topology.vip, FIRST_SERVICE_PORT)

    @property
    def nodes(self) -> list[str]:
        """The directors' names in samples."""
        if self._topology.directors == 1:
            return ["director"]
        return [f"director-{number + 1}" for number in range(self._topology.directors)]

    def missing_balancers(self, balancers: Sequence[str]) -> Mapping[str, str]:
        """Those that the model has no rule for."""
        return {
            name: "the model has no rule for it" for name in balancers if model_rule(name) is None
        }

    def refused_settings(self, settings: BalancerSettings) -> str:
        """Sysctls that the model does not follow."""
        unknown = [name for name in settings.sysctls if name not in _KNOWN_SYSCTLS]
        if not unknown:
            return ""
        known = ", ".join(_KNOWN_SYSCTLS)
        return f"the model does not follow the sysctl {unknown[0]}; it knows {known}"

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        """A new service, whose directors remember nothing."""
        rule = model_rule(spec.balancer)
        if rule is None:
            raise TestbedError(f"the model has no rule for {spec.balancer}")
        self._ports.begin_run(spec.repeat, remembered=False)
        self._begin(spec, rule)
        joined = []
        for weight in spec.weights:
            self.time.raise_if_ending()  # a thousand directors take it up one after the other
            joined.append((self.add_server(weight), weight))
        persistent = spec.settings.persistence
        bits = self._topology.plan.host_bits
        return ServiceUnderTest(
            Target(self.key, self._topology.vip, FIRST_SERVICE_PORT),
            spec.balancer,
            joined,
            forwarding=spec.forwarding,
            netmask=(spec.settings.netmask or bits) if persistent else None,
        )

    def _begin(self, spec: ServiceSpec, rule: str) -> None:
        settings = spec.settings
        self.spec, self.servers = spec, []
        self.directors = ModelDirectors(
            spec.balancer,
            ServiceSettings(
                rule,
                self._topology.vip,
                frozenset(settings.flags),
                USUAL_LC_LAW,
                spec.forwarding,
                settings.persistence,
                settings.netmask,
                TcpTimeouts.of_record(settings.timeouts),
                settings.sysctls,
            ),
            self._topology.director_ports,
            f"{self._topology.seed}/{spec.repeat}/{spec.balancer}",
        )
        direct = FORWARDINGS[spec.forwarding].direct
        self.packet_watch = ModelWatch(direct)
        self.network = ModelNetwork(
            self.time,
            self.directors,
            self.servers,
            self._ports,
            self.packet_watch,
            direct,
        )

    def set_balancer(self, balancer: str) -> None:
        """Change the scheduler in place."""
        without_ipvs = [one for one in (self.spec.balancer, balancer) if model_rule(one) != one]
        if without_ipvs:
            raise UsageError(
                "what balances without IPVS has no scheduler that could be changed: start a new"
                f" test with {balancer}"
            )
        self.directors.set_scheduler(balancer)

    def add_server(self, weight: int) -> str:
        """Have the next server join."""
        number = len(self.servers) + 1
        if number > self.max_real_servers:
            raise TestbedError(f"the model was made for {self.max_real_servers} real servers")
        address = server_address(number, self._topology.family)
        capacity = self.spec.capacity
        speed = capacity.speed_of(number) if capacity else 1.0
        self.servers.append(ModelServer(address, self.time, _limits(capacity), speed))
        self.directors.join(address, weight)
        return address

    def set_weight(self, address: str, weight: int) -> None:
        """Change a real server's weight."""
        if not find(self.spec.balancer).in_ipvs_table and weight not in (0, 1):
            raise UsageError("here a server is one of those that are chosen from (1), or not (0)")
        self.directors.set_weight(self._number(address), weight)

    def remove_server(self, address: str) -> None:
        """Take a real server out of the tables; it goes on."""
        number = self._number(address)
        self.servers[number].removed = True
        self.directors.leave(number, self.time.now_ns)

    def fault_server(self, address: str, fault: ServerFault) -> None:
        """Do this to a real server; the tables stay as they are."""
        self.servers[self._number(address)].fault(fault)

    def set_server_speed(self, address: str, speed: float) -> None:
        """Have a real server do its work at this speed."""
        self.servers[self._number(address)].set_speed(speed)

    def retire(self) -> None:
        """None: here no time is lost."""

    def end(self) -> None:
        """The service is gone with the next one's beginning."""

    def tcp_timeouts(self) -> int:
        """Of this run."""
        return self.network.timeouts

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None] | None:
        """None: each request says its server."""
        return None

    def _number(self, address: str) -> int:
        return next(n for n, server in enumerate(self.servers) if server.address == address)


def _limits(capacity: Capacity | None) -> Limits | None:
    if capacity is None:
        return None
    overflow = 0 if capacity.overflow == "refuse" else capacity.overflow
    return Limits(capacity.workers, capacity.queue, overflow)
