"""The directors of a recorded run, with what is set on each, as the model takes it.

What the record does not tell is the kernel's default. `NotReplayableError` says why a run has no
model, in words for people.
"""

from collections.abc import Callable
from typing import NamedTuple

from ipvsload.ipvs_model.director_model import ServiceSettings
from ipvsload.record.events import ClockAligned, DirectorSettings
from ipvsload.record.nodes import nodes
from ipvsload.record.reader import RecordedRun
from ipvsload.record.row_groups import row_groups
from ipvsload.replay.table_changes import ServerTable, server_table
from ipvsload.replay.told_settings import (
    NotReplayableError,
    ToldSettings,
    rule_name,
    service_settings,
)
from ipvsload.scenario.model import Scenario


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


def _table(run: RecordedRun, scenario: Scenario | None, node: str | None) -> ServerTable:
    table = server_table(run, scenario, node)
    if not table.servers:
        raise NotReplayableError("the record has no servers of the service")
    return table


def _ports(run: RecordedRun) -> dict[int, range]:
    """The client ports that lead through each director, as far as requests show it."""
    found: dict[int, range] = {}
    for block in run.requests.blocks("director", "port"):
        sent = block.where((block.director != 0) & (block.port != 0))
        for (director,), rows in row_groups(sent.director):
            ports = sent.port[rows]
            least, most = int(ports.min()), int(ports.max())
            if (known := found.get(director)) is not None:
                least, most = min(least, known[0]), max(most, known[-1])
            found[director] = range(least, most + 1)
    return found


def _settings(run: RecordedRun, node: str | None, lc_law: int) -> ServiceSettings:
    samples = (one for one in run.samples if one.node == node)
    service = next((one for sample in samples for one in sample.services), None)
    found = next((one for one in run.of_type(DirectorSettings) if one.node == node), None)
    forwarding = run.forwarding or ""
    told = ToldSettings(forwarding=forwarding)
    if found:
        told = ToldSettings(
            found.timeouts, found.sysctls, found.forwarding or forwarding, found.ticks
        )
    rule = rule_name(run.scheduler)
    own = service_settings(rule, run.service, service, told, lc_law, run.netmask)
    clock = next((one for one in run.of_type(ClockAligned) if one.node == node), None)
    if clock and clock.booted_us is not None:
        own = own._replace(booted_ns=clock.booted_us * 1000)
    return own
