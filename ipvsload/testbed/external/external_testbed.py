"""A director that is there already: a URL to send load to, a command to watch it by.

The command is anything that runs `ipvsload collect` beside the balancer's table
and connects its streams, such as `ssh director sudo ipvsload collect`; without
one there is load and there are no samples. The director is changed only by
commands that its owner gave, and what they changed is put back at the end.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NoReturn

from ipvsload.errors import TestbedError
from ipvsload.ipvs.schedulers import module_of
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.scenario.url import Tls, read_url
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, SidecarPipe, Target
from ipvsload.testbed.existing_testbed import ExistingTestbed
from ipvsload.testbed.external.certificate import check_certificate
from ipvsload.testbed.external.director_changes import FIXED, DirectorChanges
from ipvsload.testbed.external.director_table import UNREAD, DirectorTable
from ipvsload.testbed.external.owner_command import OwnerCommand
from ipvsload.testbed.external.service_choice import canonical_key
from ipvsload.testbed.kind import Tell


class ExternalTestbed(ExistingTestbed):
    """The balancer at `url`, watched by the command `sidecar`.

    `set_scheduler` and `set_weight` are commands with {service}, {scheduler},
    {options}, {server} and {weight} in them. `service_key` names the virtual service that
    the URL reaches; without it the table is asked. `tell` is told what a person
    should know. Raises UsageError for a bad one of these.
    """

    def __init__(
        self,
        url: str,
        sidecar: str,
        *,
        set_scheduler: str = "",
        set_weight: str = "",
        service_key: str = "",
        tls: Tls | None = None,
        tell: Tell = lambda _: None,
    ) -> None:
        self._url = read_url(url, tls)
        key = canonical_key(service_key) if service_key else ""
        command = OwnerCommand("--sidecar", sidecar)
        self._table = DirectorTable(command, self._url, key)
        self._tell = tell
        self._changes = DirectorChanges(self._table, set_scheduler, set_weight, tell)
        lacks = self._changes.lacks()
        self.has_samples = self._table.readable
        if not self.has_samples:
            lacks |= dict.fromkeys(("table", "scheduler", "weight"), UNREAD)
        super().__init__(lacks)
        self._weights: dict[str, int] = {}
        self._sidecars = ExitStack()
        self._mute = False
        """Whether the sidecar cannot tell where connections went."""

    def start(self) -> None:
        """Do nothing: it is there."""

    def wait_ready(self) -> None:
        """Look whether the table can be read and has a service for the URL, and take that.

        Raises TestbedError, also where the certificate of an https server is refused,
        or another run may change the service.
        """
        check_certificate(self._url)
        if self.has_samples:
            self._changes.take(self._table.service())
            if self._table.guess:
                self._tell(self._table.guess)

    @property
    def kernel(self) -> dict[str, str]:
        """The director's kernel, where a reading has said it."""
        hello = self._table.hello
        return {"release": hello.kernel if hello else "", "provider": "node"}

    def open_samples(self, hz: float) -> SidecarPipe:
        """Start the command. Raises TestbedError."""
        sidecar = self._table.open_samples(hz)
        self._sidecars.callback(sidecar.close)
        return sidecar

    def missing_balancers(self, balancers: Sequence[str]) -> Mapping[str, str]:
        """Others than the present one, where it stays; else what the kernel's lists say.

        They are in the director's /lib/modules. None is tried: that would change the director.
        """
        if not self.has_samples:
            return {}
        found = self._table.service()
        if "scheduler" in self.lacks:
            why = f"{found.key} is balanced by {found.scheduler}: {FIXED}"
            return {name: why for name in balancers if name != found.scheduler}
        settings, hello = self._table.settings, self._table.hello
        states = settings.schedulers if settings else {}
        release = f" (Linux {hello.kernel})" if hello else ""
        return {
            name: f"the director's kernel{release} does not have this scheduler, module"
            f" {module_of(name)}"
            for name in balancers
            if states.get(name) == "absent"
        }

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        """Take the service as it is there; what `spec` leaves open is not compared.

        Without a command that reads the table, only its address is known.
        Raises TestbedError where the table has another scheduler or other servers.
        """
        if not self.has_samples:
            if spec.balancer:
                raise TestbedError(f"whether it is balanced by {spec.balancer}: {UNREAD}")
            return ServiceUnderTest(Target("", *self._url), "", [])
        wanted, weights = spec.balancer, spec.weights
        found = self._table.service()
        self._changes.take(found)
        if "scheduler" not in self.lacks and wanted:
            found = self._changes.set_scheduler(wanted, spec.settings, found)
        if wanted not in ("", found.scheduler):
            raise TestbedError(
                f"{found.key} is balanced by {found.scheduler} and not by {wanted}: {FIXED}"
            )
        servers = sorted((server.address, server.weight) for server in found.servers)
        self._weights = dict(servers)
        if weights and len(servers) != len(weights):
            raise TestbedError(
                f"{found.key} has {len(servers)} real server{'s' * (len(servers) != 1)} and the"
                f" scenario begins with {len(weights)}: {FIXED}, or have the scenario begin with"
                f" {len(servers)} (`servers` under `service`)"
            )
        baseline = {server.address: server.conns for server in found.servers}
        target = Target(found.key, *self._url)
        return ServiceUnderTest(target, found.scheduler, servers, baseline, self._table.guess)

    def set_balancer(self, balancer: str) -> None:
        """Change it by the owner's command. Raises TestbedError."""
        self._changes.set_scheduler(balancer, BalancerSettings(), self._table.service())

    def add_server(self, weight: int) -> NoReturn:
        """Raise TestbedError."""
        raise TestbedError(FIXED)

    def set_weight(self, address: str, weight: int) -> None:
        """Change it by the owner's command. Raises TestbedError."""
        self._changes.set_weight(address, weight, self._weights.get(address))

    def remove_server(self, address: str) -> NoReturn:
        """Raise TestbedError."""
        raise TestbedError(FIXED)

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None] | None:
        """What the director's connection table says; None, and why is told, where it cannot.

        It is not asked again then.
        """
        if not self.has_samples or self._mute:
            return None
        try:
            return self._table.connection_servers(clients)
        except TestbedError as error:
            self._mute = True
            self._tell(f"which server a request without an answer went to is not known: {error}")
            return None

    def end(self) -> None:
        """Give the real servers the weights that they had, so that runs begin alike."""
        self._changes.put_back_weights()

    def release(self) -> None:
        """All of it: nothing here goes by itself."""
        self.close()

    def close(self) -> None:
        """End the sidecar, and put back what was set. Raises TestbedError."""
        self._sidecars.close()
        try:
            self._changes.close()
        except TestbedError as error:
            raise TestbedError(f"{error}; or try again: ipvsload restore") from None
        except KeyboardInterrupt:
            self._tell("the director is left changed; put it back with: ipvsload restore")
            raise
