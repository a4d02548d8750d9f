"""Scenarios that a testbed cannot play are refused in words, before anything is touched."""

import re
from typing import get_args

import pytest

from ipvsload.errors import UsageError
from ipvsload.scenario.balancers import find
from ipvsload.scenario.capabilities import Capability, check_capabilities
from ipvsload.scenario.load import ScenarioError, parse_scenario
from ipvsload.scenario.model import Scenario


def scenario(service: str, *steps: str) -> Scenario:
    lines = "".join(f"  - {step}\n" for step in steps)
    return parse_scenario(
        f"""
name: one
schedulers: [rr]
service: {service}
traffic: {{short: {{request: GET /ip, users: 2, requests: 20}}}}
timeline:
{lines}  - start: short
    until: done{{class=short}}
expect: {{all: [failures == 0]}}
""",
        "one.yaml",
    )


@pytest.mark.parametrize(
    ("service", "step", "lack", "words"),
    [
        ("{servers: 2}", "scale: 3", "scale", "`scale to 3`"),
        ("{servers: 2}", "remove: 1", "scale", "`remove server 1`"),
        ("{servers: 2}", "kill: 2", "faults", "`kill server 2`"),
        ("{servers: 2}", "reweigh: {server: 1, weight: 5}", "weight", "`server 1: weight 5`"),
        ("{servers: 2, weights: [1, 3]}", "wait: 1", "weights", "`weights: [1, 3]`"),
        ("{servers: 2, clients: 4}", "wait: 1", "clients", "`clients: 4`"),
        ("{servers: 2, forwarding: dr}", "wait: 1", "forwarding", "`forwarding: dr`"),
        ("{capacity: {workers: 8}}", "wait: 1", "capacity", "`capacity: workers: 8`"),
    ],
)
def test_what_a_testbed_lacks_is_refused_with_its_reason(
    service: str, step: str, lack: Capability, words: str
) -> None:
    wants = scenario(service, step)
    with pytest.raises(UsageError) as refusal:
        check_capabilities(wants.name, wants.needs(), {lack: "no such thing here"})
    assert str(refusal.value) == f"scenario one wants {words}: no such thing here"
    others = [other for other in get_args(Capability) if other not in (lack, "shares")]
    check_capabilities(wants.name, wants.needs(), dict.fromkeys(others, "no such thing here"))


@pytest.mark.parametrize(
    ("service", "step", "words"),
    [
        ("{weights: [1, 3]}", "wait: 1", "`weights: [1, 3]`: nftables has no weights: a server"),
        (
            "{servers: 2}",
            "reweigh: {server: 1, weight: 2}",
            "`server 1: weight 2`: nftables has no",
        ),
        ("{forwarding: tun}", "wait: 1", "`forwarding: tun`: nftables translates addresses"),
        ("{weights: [1, 0]}", "reweigh: {server: 1, weight: 0}", ""),
    ],
)
def test_rules_have_no_weights_and_only_translate(service: str, step: str, words: str) -> None:
    wants = scenario(service, step)
    assert not find("lc").lacks
    if not words:
        return check_capabilities(wants.name, wants.needs(), find("nftables").lacks)
    with pytest.raises(UsageError, match=re.escape(f"scenario one wants {words}")):
        check_capabilities(wants.name, wants.needs(), find("nftables").lacks)
    return None


def test_weights_beside_what_has_none_are_told_with_their_place() -> None:
    with pytest.raises(ScenarioError, match=r"^t:2:18: iptables has no weights: .*`weights: \["):
        parse_scenario(
            "name: one\nschedulers: [rr, iptables]\nservice: {weights: [1, 3]}\n"
            "traffic: {short: {users: 1, requests: 1}}\ntimeline: [start: short]\n",
            "t",
        )
