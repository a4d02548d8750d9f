"""What is set of a service and on its director, as samples and the sidecar tell it, for the model.

What they do not tell is the kernel's default.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ipvsload.ipvs.forwarding import FORWARDINGS, MASQUERADING
from ipvsload.ipvs.schedulers import ONE_PACKET, PERSISTENT, SCHEDULERS, flag_names
from ipvsload.ipvs.sysctls import DECIDING_SYSCTLS
from ipvsload.ipvs.table import VirtualService
from ipvsload.ipvs_model.director_model import ServiceSettings
from ipvsload.ipvs_model.tcp_states import TcpTimeouts
from ipvsload.scenario.model_rule import model_rule


class NotReplayableError(Exception):
    """There is no model of this run; the message says why, for people."""


class ToldSettings(NamedTuple):
    """What the sidecar tells of a director: see record/sidecar_stream.py, Settings.

    `forwarding` is "" and `ticks` 0 where that is not known.
    """

    timeouts: Mapping[str, int] = {}
    sysctls: Mapping[str, object] = {}
    forwarding: str = ""
    ticks: int = 0


def rule_name(balancer: str) -> str:
    """The rule of the model that a balancer follows. Raises NotReplayableError."""
    name = model_rule(balancer)
    if name is None:
        raise NotReplayableError(f"the model does not know the rule of {balancer}")
    return name


def service_settings(
    rule: str,
    key: str,
    service: VirtualService | None,
    told: ToldSettings,
    lc_law: int,
    netmask: int | None,
) -> ServiceSettings:
    """For the service of this key, of which a sample has `service`. Raises NotReplayableError."""
    flags = frozenset(flag_names(rule, service.flags)) if service else frozenset()
    if rule in SCHEDULERS:
        flags &= dict(SCHEDULERS[rule].flags).keys()
    persistence = service.persistent_timeout if service else 0
    if service and service.flags & ONE_PACKET:
        raise NotReplayableError("the service schedules each packet for itself (ops)")
    if service and service.flags & PERSISTENT and not persistence:
        raise NotReplayableError("the record does not tell for how long the service is persistent")
    forwarding = told.forwarding or MASQUERADING
    if forwarding not in FORWARDINGS:
        raise NotReplayableError(f"its servers are reached in different ways: {forwarding}")
    own = ServiceSettings(
        rule,
        _host(key),
        flags=flags,
        lc_law=lc_law,
        forwarding=forwarding,
        persistence=persistence,
        netmask=netmask,
        timeouts=TcpTimeouts.of_record(told.timeouts),
        sysctls={
            name: value
            for name, value in told.sysctls.items()
            if name in DECIDING_SYSCTLS and isinstance(value, int)
        },
    )
    return own._replace(hz=told.ticks) if told.ticks else own


def _host(key: str) -> str:
    """The address in the service's key (ipvs/keys.py); a firewall mark has none."""
    return key.partition(" ")[2].rpartition(":")[0].strip("[]") or "0.0.0.0"
