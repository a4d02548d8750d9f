"""The directors of a recorded run, with what is set on each, as the model takes it.

What the record does not tell is the kernel's default. `NotReplayableError` says why a run has no
model, in words for people.
"""

from collections.abc import Callable
from typing import NamedTuple

from ipvsload.ipvs.forwarding import FORWARDINGS, MASQUERADING
from ipvsload.ipvs.schedulers import ONE_PACKET, PERSISTENT, SCHEDULERS, flag_names
from ipvsload.ipvs.sysctls import DECIDING_SYSCTLS
from ipvsload.ipvs_model.director_model import ServiceSettings
from ipvsload.ipvs_model.tcp_states import TcpTimeouts
from ipvsload.record.events import ClockAligned, DirectorSettings
from ipvsload.record.nodes import nodes
from ipvsload.record.reader import RecordedRun
from ipvsload.replay.table_changes import ServerTable, server_table
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.model_rule import model_rule


class NotReplayableError(Exception):
    """There is no model of this run; the message says why, for people."""


class RecordedDirector(NamedTuple):
    """One director: its `number` among them from 1, 0 where it is the only one.

    `through` says whether connections of a client port go through it; None: all do.
    """

    number: int
    settings: ServiceSettings
    table: ServerTable
    through: Callable[[int], bool] | None = None


def recorded_directors(
    run: RecordedRun, scenario: Scenario | None, lc_law: int
) -> list[RecordedDirector]:
    """All of them. Raises NotReplayableError."""
    names = nodes(run.samples)
    if len(names) < 2:
        node = names[0] if names else None
        return [RecordedDirector(0, _settings(run, node, lc_law), _table(run, scenario, node))]
    ports = _ports(run)
    if len(ports) != len(names):
        raise NotReplayableError(
            f"{len(names)} directors balanced, and requests do not say which they went through"
        )
    return [
        RecordedDirector(
            number,
            _settings(run, node, lc_law),
            _table(run, scenario, node),
            ports[number].__contains__,
        )
        for number, node in enumerate(names, 1)
    ]


def rule_name(run: RecordedRun) -> str:
    """The rule that the run's balancer follows. Raises NotReplayableError."""
    name = model_rule(run.scheduler)
    if name is None:
        raise NotReplayableError(f"the model does not know the rule of {run.scheduler}")
    return name


def _table(run: RecordedRun, scenario: Scenario | None, node: str | None) -> ServerTable:
    table = server_table(run, scenario, node)
    if not table.servers:
        raise NotReplayableError("the record has no servers of the service")
    return table


def _ports(run: RecordedRun) -> dict[int, range]:
    """The client ports that lead through each director, as far as requests show it."""
    found: dict[int, range] = {}
    for request in run.requests:
        if request.director and request.port:
            port, ports = request.port, found.get(request.director)
            if ports is None:
                found[request.director] = range(port, port + 1)
            elif port not in ports:
                found[request.director] = range(min(port, ports[0]), max(port, ports[-1]) + 1)
    return found


def _settings(run: RecordedRun, node: str | None, lc_law: int) -> ServiceSettings:
    samples = (one for one in run.samples if one.node == node)
    service = next((one for sample in samples for one in sample.services), None)
    rule = rule_name(run)
    flags = frozenset(flag_names(rule, service.flags)) if service else frozenset()
    if rule in SCHEDULERS:
        flags &= dict(SCHEDULERS[rule].flags).keys()
    persistence = service.persistent_timeout if service else 0
    if service and service.flags & ONE_PACKET:
        raise NotReplayableError("the service schedules each packet for itself (ops)")
    if service and service.flags & PERSISTENT and not persistence:
        raise NotReplayableError("the record does not tell for how long the service is persistent")
    told = next((one for one in run.of_type(DirectorSettings) if one.node == node), None)
    sysctls = told.sysctls if told else {}
    forwarding = (told.forwarding if told else None) or run.forwarding or MASQUERADING
    if forwarding not in FORWARDINGS:
        raise NotReplayableError(f"its servers are reached in different ways: {forwarding}")
    own = ServiceSettings(
        rule,
        _host(run.service),
        flags=flags,
        lc_law=lc_law,
        forwarding=forwarding,
        persistence=persistence,
        netmask=run.netmask,
        timeouts=TcpTimeouts.of_record(told.timeouts if told else {}),
        sysctls={
            name: value
            for name, value in sysctls.items()
            if name in DECIDING_SYSCTLS and isinstance(value, int)
        },
    )
    if told and told.ticks:
        own = own._replace(hz=told.ticks)
    clock = next((one for one in run.of_type(ClockAligned) if one.node == node), None)
    if clock and clock.booted_us is not None:
        own = own._replace(booted_ns=clock.booted_us * 1000)
    return own


def _host(service: str) -> str:
    """The address in the service's key (ipvs/keys.py); a firewall mark has none."""
    return service.partition(" ")[2].rpartition(":")[0].strip("[]") or "0.0.0.0"
