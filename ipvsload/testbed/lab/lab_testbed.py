"""The lab as a testbed: virtual services and real servers for runs.

Each run gets a virtual service on a port of its own. A real server that is
removed from a service keeps its counters in a trash list for 120 s, and has
them again when it is added to the same service (ip_vs_ctl.c,
ip_vs_trash_get_dest).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.forwarding import MASQUERADING
from ipvsload.ipvs.keys import join_key
from ipvsload.ipvs.schedulers import SCHEDULERS, flag_bits
from ipvsload.netfilter.nat_kinds import NAT_KINDS
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.server_conditions import ServerFault
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, SidecarPipe, Target
from ipvsload.testbed.kind import Tell, nobody
from ipvsload.testbed.lab import direct_routing, warmup
from ipvsload.testbed.lab.broker_client import begin_run, plain_socket
from ipvsload.testbed.lab.changed_settings import ChangedSettings
from ipvsload.testbed.lab.director_client import DirectorClient, open_samples
from ipvsload.testbed.lab.lab import Lab
from ipvsload.testbed.lab.lc_law import lc_law
from ipvsload.testbed.lab.run_listeners import AT_ANY_ADDRESS, RunListeners
from ipvsload.testbed.lab.scheduler_mend import why_missing
from ipvsload.testbed.lab.topology import (
    FIRST_SERVICE_PORT,
    MAX_HOSTS,
    PROBE_PORT,
    Topology,
)
from ipvsload.testbed.tcp_timeouts import timeouts

if TYPE_CHECKING:
    from ipvsload.testbed.lab.cable_watch import CableWatch


class LabTestbed:
    """A testbed with the parts of `topology`. `kernel` and `schedulers` as `Lab` has them.

    `watched`: the packets of its runs are. `progress` is told what it does meanwhile.
    Raises UsageError where it has no room for them.
    """

    exclusive = True
    has_samples = True
    lacks: Mapping[Capability, str] = MappingProxyType({})

    def __init__(
        self,
        topology: Topology,
        *,
        kernel: str,
        schedulers: Sequence[str] = (),
        watched: bool = True,
        progress: Tell = nobody,
    ) -> None:
        if topology.direct and topology.servers > MAX_HOSTS:
            raise UsageError(
                f"forwarding: {topology.direct[0]}: the lab has room for {MAX_HOSTS} real servers"
                f" then, and this asks for {topology.servers}: their port is the service's, so each"
                " needs an address of its own"
            )
        self._topology = topology
        self._kernel = kernel
        self._schedulers = tuple(dict.fromkeys((warmup.SCHEDULER, *schedulers)))
        # Without any named, whichever may follow.
        self._needs_law = any(
            SCHEDULERS[one].counts_finished
            for one in SCHEDULERS.keys() & set(schedulers or SCHEDULERS)
        )
        self._law: int | None = None
        self._progress = progress
        self._lab: Lab | None = None
        self._undo = ExitStack()
        self.max_real_servers = topology.servers
        """How many real servers can ever join in one run."""
        # On FIRST_SERVICE_PORT the real servers listen for masqueraded connections.
        self._port = FIRST_SERVICE_PORT - (not topology.direct)
        self._key = ""
        self._nat = False
        """Whether the run's service is balanced without IPVS."""
        self._joined = 0
        self._forwarding = MASQUERADING
        self._addresses = topology.server_addresses
        """Those that may join this run, in the order in which they do."""
        self._watched = watched
        self.packet_watch: CableWatch | None = None
        """From `start` on; None where nobody shall watch."""

    def start(self) -> None:
        """Start the lab; its kernel boots while the caller does other work."""
        self._lab = Lab(self._topology, kernel=self._kernel, schedulers=self._schedulers)
        self._undo.callback(self._lab.close)
        if self._watched:
            from ipvsload.testbed.lab.cable_watch import CableWatch  # numpy, while the kernel boots

            sockets = self._lab.take_packet_sockets()
            self.packet_watch = CableWatch(self._topology, sockets, self._lab.unwatched)
            self._undo.callback(self.packet_watch.close)

    def wait_ready(self) -> None:
        """Start the real servers, wait for the kernel, use every path once."""
        self.lab.real_servers.wait_ready()
        self._listeners.listen(self._addresses, {})
        self.lab.wait_ready()
        warmup.warm(self._topology, self._control, self.socket_broker)
        if self._topology.direct:
            self._warm_direct()
        if self._needs_law:
            self._law = lc_law(self._control, self._progress)

    def _warm_direct(self) -> None:
        neighbours = direct_routing.neighbours(self._topology)
        self._control.ask("set_neighbours", neighbours=neighbours)
        probed = self._topology.server_addresses_on(PROBE_PORT)
        self._listeners.listen(probed, AT_ANY_ADDRESS)
        for forwarding in self._topology.direct:
            warmup.warm(self._topology, self._control, self.socket_broker, forwarding)
        self._listeners.kill(probed)

    def _listener_options(self) -> Mapping[str, bool]:
        return {} if self._forwarding == MASQUERADING else AT_ANY_ADDRESS

    @cached_property
    def _listeners(self) -> RunListeners:
        return RunListeners(self.lab.real_servers)

    @property
    def lab(self) -> Lab:
        """The lab that `start` has started. Raises TestbedError before."""
        if self._lab is None:
            raise TestbedError("the lab is not started")
        return self._lab

    @cached_property
    def _control(self) -> DirectorClient:
        control = DirectorClient(plain_socket(self.socket_broker))
        return self._undo.enter_context(closing(control))

    @cached_property
    def _settings(self) -> ChangedSettings:
        return ChangedSettings(self._control)

    @property
    def socket_broker(self) -> str:
        """The name of the lab's `SocketBroker`."""
        return self.lab.socket_broker

    @property
    def kernel(self) -> dict[str, Any]:
        """The kernel that the director runs, and how it counts where that was asked."""
        # Imports every provider, while the director boots.
        from ipvsload.testbed.lab.kernels.providers import KERNELS

        provider = self.lab.kernel.provider
        kernel: dict[str, Any] = {"release": self.lab.kernel.release, "provider": provider}
        if order_us := KERNELS[provider].packet_order_us:
            kernel["packet_order_us"] = order_us
        return kernel if self._law is None else {**kernel, "lc_law": self._law}

    def open_samples(self, hz: float) -> SidecarPipe:
        """Start the directors' sidecar."""
        return open_samples(plain_socket(self.socket_broker), hz)

    def open_occupancy(self, hz: float) -> SidecarPipe:
        """Have the real servers tell, unasked, how busy they are."""
        return self.lab.real_servers.open_occupancy(hz)

    def tcp_timeouts(self) -> int:
        """TCP retransmission timeouts in the client namespace until now."""
        return timeouts(os.pread(self.lab.netstat, 1 << 16, 0).decode())

    def missing_balancers(self, balancers: Sequence[str]) -> Mapping[str, str]:
        """Each is tried in the director, on a port that no run uses."""
        key = join_key(self._topology.vip, FIRST_SERVICE_PORT - 1)
        kernel = f"Linux {self.lab.kernel.release}, {self.lab.kernel.provider}"
        return why_missing(self._control, key, kernel, balancers, self._topology.family)

    def refused_settings(self, settings: BalancerSettings) -> str:
        """The director's kernel is asked; nothing is changed."""
        reason = self._settings.refused(settings)
        kernel = self.lab.kernel
        return reason and f"{reason} (Linux {kernel.release}, {kernel.provider})"

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        """Make a service on the next port; servers that suffered from something are new."""
        self._listeners.mend()
        begin_run(self.socket_broker, spec.repeat)
        self._port += 1
        self._joined = 0
        self._forwarding = spec.forwarding
        direct = spec.forwarding != MASQUERADING
        self._addresses = (
            self._topology.server_addresses_on(self._port)
            if direct
            else self._topology.server_addresses
        )
        self._listeners.listen(self._addresses, self._listener_options())
        self._listeners.limit(self._addresses, spec.capacity)
        self._key = join_key(self._topology.vip, self._port)
        self._settings.change(spec.settings)
        self._nat = spec.balancer in NAT_KINDS
        if self._nat:  # all servers at once: each change is a program's run
            servers = [(self._next_server(), weight) for weight in spec.weights]
            self._ask("add_service", balancer=spec.balancer, weights=dict(servers))
        else:
            self._ask(
                "add_service",
                scheduler=spec.balancer,
                flags=flag_bits(spec.balancer, spec.settings.flags),
                persistent_timeout=spec.settings.persistence,
                netmask=spec.settings.netmask,
            )
            servers = [(self.add_server(weight), weight) for weight in spec.weights]
        target = Target(self._key, self._topology.vip, self._port)
        several = self._topology.directors > 1
        ports = self._topology.director_ports if several else ()
        mask = self._ask("netmask") if spec.settings.persistence else None
        return ServiceUnderTest(
            target,
            spec.balancer,
            servers,
            director_ports=ports,
            forwarding=spec.forwarding,
            netmask=mask,
        )

    def set_balancer(self, balancer: str) -> None:
        """Change the scheduler in place; connections and counters stay."""
        if self._nat or balancer in NAT_KINDS:
            raise UsageError(
                "what balances without IPVS has no scheduler that could be changed: start a new"
                f" test with {balancer}"
            )
        self._ask("set_scheduler", scheduler=balancer)

    def add_server(self, weight: int) -> str:
        """Have the next address join; none is used twice in a run."""
        address = self._next_server()
        self._ask("add_server", address=address, weight=weight, **self._by)
        return address

    def _next_server(self) -> str:
        if self._joined >= self.max_real_servers:
            raise TestbedError(f"the lab was made for {self.max_real_servers} real servers")
        address = self._addresses[self._joined]
        self._joined += 1
        return address

    def set_weight(self, address: str, weight: int) -> None:
        """Change a real server's weight in place."""
        if self._nat and weight not in (0, 1):
            raise UsageError("here a server is one of those that are chosen from (1), or not (0)")
        self._ask("set_weight", address=address, weight=weight, **self._by)

    def remove_server(self, address: str) -> None:
        """Take a real server out of the table; its process goes on."""
        self._ask("delete_server", address=address)

    def fault_server(self, address: str, fault: ServerFault) -> None:
        """Do this to one of the process's servers; the table keeps it."""
        self._listeners.fault(address, fault, self._listener_options())

    def set_server_speed(self, address: str, speed: float) -> None:
        """Have it work so many times as fast as usual."""
        self._listeners.set_speed(address, speed)

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None]:
        """What the kernel's connection table says; it forgets resets after 10 s."""
        verb = ("nat", {"change": "chosen_servers"}) if self._nat else ("chosen_servers", {})
        found: list[str | None] = self._control.ask(
            verb[0], **verb[1], vip=self._topology.vip, port=self._port, clients=list(clients)
        )
        return found

    def retire(self) -> Callable[[], None] | None:
        """Each run has a service of its own; but rules without IPVS share their tracking."""
        if self._nat:
            return None
        self._put_back()
        return partial(self._control.ask, "delete_service", key=self._key)

    def end(self) -> None:
        """Remove the run's service, and put back what was set for it."""
        self._ask("delete_service")
        self._put_back()

    def _put_back(self) -> None:
        self._settings.put_back()
        if self._forwarding != MASQUERADING:
            self._listeners.kill(self._addresses)

    @property
    def _by(self) -> dict[str, str]:
        """How IPVS forwards to a server; rules always translate."""
        return {} if self._nat else {"forwarding": self._forwarding}

    def _ask(self, verb: str, **arguments: object) -> Any:
        """Have the director do it to the run's service."""
        if self._nat:
            return self._control.ask("nat", change=verb, key=self._key, **arguments)
        return self._control.ask(verb, key=self._key, **arguments)

    def fileno(self) -> int:
        """Readable when `broken` has something to say."""
        return self.lab.fileno()

    def broken(self) -> TestbedError | None:
        """What has died in the lab, or None."""
        return self.lab.broken()

    def release(self) -> None:
        """Begin to take the lab down."""
        if self._lab:
            self._lab.release()

    def close(self) -> None:
        """Take the lab down."""
        self._undo.close()
