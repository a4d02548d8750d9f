"""The scenario that a test plays: its file is read anew for each test."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ipvsload.errors import UsageError
from ipvsload.locust_plugin.arguments import Options
from ipvsload.scenario.balancers import find
from ipvsload.scenario.capabilities import Capability, check_capabilities
from ipvsload.scenario.check import check
from ipvsload.scenario.load import parse_scenario, read, with_files
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.scenario_files import ScenarioFiles
from ipvsload.scenario.variant import PRESENT, Variant, of_label, unknown_label
from ipvsload.testbed.registry import TESTBEDS, refuse_foreign_balancers
from ipvsload.this_machine import refuse_too_much


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario, its text as it is recorded, and which of its schedulers it is played with."""

    scenario: Scenario
    text: str
    variant: Variant


def make_plan(options: Options, lacks: Mapping[Capability, str], *, has_workers: bool) -> Plan:
    """Make the plan of a test with these options on a testbed that lacks these things.

    Raises UsageError where the scenario has a fault, or does not go with these
    options or this testbed, and TestbedError where the load is too much for this
    process. Workers may be on other machines: each looks for itself.
    """
    if options.scenario is None:
        raise UsageError("which scenario? Name its file with --scenario, or in watch(FILE)")
    text = read(options.scenario)
    files = ScenarioFiles(Path(options.scenario).parent)
    scenario = parse_scenario(text, str(options.scenario), files)
    text = with_files(text, scenario)
    changes = {
        key: value
        for key, value in (("servers", options.servers), ("clients", options.clients))
        if value
    }
    if changes:
        if options.servers and scenario.service.weights:
            raise UsageError(f"{options.scenario} has weights for its servers: leave --servers out")
        service = scenario.service.model_copy(update=changes)
        scenario = scenario.model_copy(update={"service": service})
        faults = check(scenario)
        if faults:
            asked = ", ".join(f"--{key} {value}" for key, value in changes.items())
            raise UsageError(f"{options.scenario} with {asked}: {faults[0].text}")
        text = f"# played with {', '.join(f'{k}: {v}' for k, v in changes.items())}\n{text}"
    given = [options.scheduler] if options.scheduler else []
    variant = _chosen(options, scenario, lacks)
    refuse_foreign_balancers(TESTBEDS[options.testbed], filter(None, [variant.scheduler]))
    check_capabilities(scenario.name, scenario.needs((variant,)), lacks, given)
    check_capabilities(scenario.name, scenario.needs((variant,)), find(variant.scheduler).lacks)
    if not has_workers:
        kind = TESTBEDS[options.testbed]
        refuse_too_much(scenario, kind.own_ports, kind.host(options.testbed_options))
    forwarding = variant.forwarding_in(scenario.service.forwarding)
    service = scenario.service.model_copy(update={"forwarding": forwarding})
    return Plan(scenario.model_copy(update={"service": service}), text, variant)


def _chosen(options: Options, scenario: Scenario, lacks: Mapping[Capability, str]) -> Variant:
    if not options.scheduler:
        return PRESENT if "scheduler" in lacks else scenario.schedulers[0]
    found = of_label(options.scheduler, scenario.schedulers)
    if found is None:
        near = unknown_label(options.scheduler, scenario.schedulers)
        raise UsageError(
            f"scheduler {options.scheduler[:40]!r} is neither a label of {options.scenario} nor a"
            f" scheduler; {near}"
        )
    return found
