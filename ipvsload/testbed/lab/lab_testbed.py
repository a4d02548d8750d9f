"""The lab as a testbed: virtual services and real servers for runs.

Each run gets a virtual service on a port of its own, because a real server
that is removed from one takes its counters to a trash for 120 s and brings
them back when it is added to the same service again.
"""

import json
import os
import select
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import join_key
from ipvsload.scenario.capabilities import Capability
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, SidecarPipe, Target
from ipvsload.testbed.lab import warmup
from ipvsload.testbed.lab.broker_client import netstat, plain_socket
from ipvsload.testbed.lab.director_client import Control, open_samples
from ipvsload.testbed.lab.lab import Lab
from ipvsload.testbed.lab.topology import FIRST_SERVICE_PORT, Topology, director, server_address
from ipvsload.testbed.tcp_timeouts import timeouts

_PATIENCE = 20.0


class LabTestbed:
    """A testbed with room for `servers` real servers and `clients` addresses."""

    name = "lab"
    exclusive = True
    has_samples = True
    lacks: Mapping[Capability, str] = MappingProxyType({})

    def __init__(
        self, *, kernel: str, servers: int, clients: int, schedulers: Sequence[str] = ()
    ) -> None:
        # rr is the probes'.
        modules = dict.fromkeys(("rr", *schedulers))
        self._topology = Topology(servers, clients)
        self._vip = director(1).vip
        self._lab = Lab(self._topology, kernel=kernel, schedulers=tuple(modules))
        self.max_real_servers = servers
        """How many real servers can ever join in one run."""
        self._port = FIRST_SERVICE_PORT - 1
        self._key = ""
        self._joined = 0
        self._dead: set[str] = set()

    def start(self) -> None:
        """Start the kernel; it boots while the caller does other things."""
        self._lab.start()

    def wait_ready(self) -> None:
        """Wait for the kernel, start the real servers, warm every path."""
        servers = self._topology.server_addresses
        self._hear_servers()
        for address in servers:
            self._tell_servers("add", address)
        self._lab.wait_ready()
        self._netstat = netstat(self.socket_broker)
        self._control = Control(plain_socket(self.socket_broker))
        warmup.warm(self._control, servers, self._topology.client_addresses, self.socket_broker)

    @property
    def socket_broker(self) -> str:
        """See socket_broker.py."""
        return self._lab.door

    @property
    def kernel(self) -> dict[str, str]:
        """What the director runs."""
        return {"release": self._lab.release, "provider": self._lab.provider}

    def open_samples(self, hz: float) -> SidecarPipe:
        """The sidecar, in the director."""
        return open_samples(plain_socket(self.socket_broker), hz)

    def tcp_timeouts(self) -> int:
        """TCP retransmission timeouts in the client namespace until now."""
        return timeouts(os.pread(self._netstat, 1 << 16, 0).decode())

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        """A service on the next port, with servers that all answer again."""
        for address in self._dead:
            self._tell_servers("add", address)
        self._dead.clear()
        self._port += 1
        self._joined = 0
        self._key = join_key(self._vip, self._port)
        self._control.ask("add_service", key=self._key, scheduler=spec.balancer)
        servers = [(self.add_server(weight), weight) for weight in spec.weights]
        target = Target(self._key, self._vip, self._port)
        return ServiceUnderTest(target, spec.balancer, servers)

    def set_balancer(self, balancer: str) -> None:
        """Change the scheduler in place; connections and counters stay."""
        self._control.ask("set_scheduler", key=self._key, scheduler=balancer)

    def add_server(self, weight: int) -> str:
        """The next address joins; numbers are never used twice in a run."""
        if self._joined >= self.max_real_servers:
            raise TestbedError(f"the lab was made for {self.max_real_servers} real servers")
        self._joined += 1
        address = server_address(self._joined)
        self._control.ask("add_server", key=self._key, address=address, weight=weight)
        return address

    def set_weight(self, address: str, weight: int) -> None:
        """Change a real server's weight in place."""
        self._control.ask("set_weight", key=self._key, address=address, weight=weight)

    def remove_server(self, address: str) -> None:
        """Take a real server out of the table; its process goes on."""
        self._control.ask("delete_server", key=self._key, address=address)

    def kill_server(self, address: str) -> None:
        """Close its listener and reset its connections; the table keeps it."""
        self._tell_servers("kill", address)
        self._dead.add(address)

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None]:
        """What the kernel's connection table says; it forgets resets after 10 s."""
        found: list[str | None] = self._control.ask(
            "chosen_servers", vip=self._vip, port=self._port, clients=list(clients)
        )
        return found

    def end(self) -> None:
        """Remove the run's service."""
        self._control.ask("delete_service", key=self._key)

    def fileno(self) -> int:
        """Readable when `broken` has something to say."""
        return self._lab.fileno()

    def broken(self) -> TestbedError | None:
        """What died in the lab."""
        return self._lab.broken()

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a program in the client namespace; its exit status (see `Lab.run`)."""
        return self._lab.run(argv, environment)

    def close(self) -> None:
        """Take the lab down."""
        self._lab.close()

    def _tell_servers(self, verb: str, address: str) -> None:
        try:
            self._lab.servers_in.write((json.dumps({verb: address}) + "\n").encode())
        except OSError as error:
            raise TestbedError(f"the real servers' process is gone: {error.strerror}") from error
        answer = self._hear_servers()
        if "error" in answer:
            raise TestbedError(f"real server {address}: {answer['error']}")

    def _hear_servers(self) -> dict[str, Any]:
        ready, _, _ = select.select([self._lab.servers_out], [], [], _PATIENCE)
        if not ready:
            raise TestbedError(f"the real servers' process did not answer within {_PATIENCE:g} s")
        line = self._lab.servers_out.readline()
        if not line:
            raise self._lab.broken() or TestbedError("the real servers' process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
