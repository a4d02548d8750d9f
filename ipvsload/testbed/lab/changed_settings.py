"""What is set on one director for the time of a run, and what was there before.

IPVS's sysctls and timeouts belong to a network namespace, not to a virtual service
(ip_vs_ctl.c, ip_vs_control_net_init_sysctl; ip_vs_proto.c, ip_vs_proto_data), so the
next run would have them, too. The service's own settings go with the service.
"""

from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.testbed.lab.director_client import DirectorClient


class ChangedSettings:
    """The settings of the director that `client` talks to. Raises TestbedError."""

    def __init__(self, client: DirectorClient) -> None:
        self._client = client
        self._sysctls: dict[str, int] = {}
        self._timeouts: dict[str, int] = {}

    def refused(self, settings: BalancerSettings) -> str:
        """Why these cannot be set there; "" where they can."""
        if not settings.sysctls:
            return ""
        reasons: dict[str, str] = self._client.ask("refused_sysctls", names=[*settings.sysctls])
        return "; ".join(f"sysctl {name}: {reason}" for name, reason in reasons.items())

    def change(self, settings: BalancerSettings) -> None:
        """Set them, after what a run before has left was put back."""
        self.put_back()
        # Known before anything is written: a director that breaks half-way is put back, too.
        if settings.sysctls:
            now = self._client.ask("read_sysctls")
            self._sysctls = {name: now[name] for name in settings.sysctls}
            self._client.ask("write_sysctls", values=dict(settings.sysctls))
        if settings.timeouts:
            now = self._client.ask("timeouts")
            self._timeouts = {name: now[name] for name in settings.timeouts}
            self._client.ask("set_timeouts", seconds=dict(settings.timeouts))

    def put_back(self) -> None:
        """Set what was there before `change`; nothing where all of it is there."""
        if self._sysctls:
            self._client.ask("write_sysctls", values=self._sysctls)
            self._sysctls = {}
        if self._timeouts:
            self._client.ask("set_timeouts", seconds=self._timeouts)
            self._timeouts = {}
