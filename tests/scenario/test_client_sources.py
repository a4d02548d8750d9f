"""`service: family` and `source-ports`: what they mean, and what is wrong with them."""

import pytest

from ipvsload.errors import UsageError
from ipvsload.scenario.capabilities import check_capabilities
from ipvsload.scenario.load import ScenarioError, parse_scenario
from ipvsload.scenario.model import Scenario
from ipvsload.testbed.base import LAB_ONLY

TEXT = """\
name: six
schedulers: [SCHEDULER]
service: {SERVICE}
traffic: {short: {rate: 10, requests: 10}}
timeline: [start: short]
"""


def six(service: str, scheduler: str = "rr") -> Scenario:
    text = TEXT.replace("SCHEDULER", scheduler).replace("SERVICE", service)
    return parse_scenario(text, "t.yaml")


def test_a_netmask_of_ipv6_may_have_128_bits() -> None:
    assert six("servers: 2").service.family == "ipv4"
    scenario = six("family: ipv6", "{scheduler: rr, persistence: 1m, netmask: 128}")
    assert scenario.schedulers[0].settings.netmask == 128


@pytest.mark.parametrize(
    ("service", "scheduler", "fault"),
    [
        ("family: ipv5", "rr", "3:19: 'family': expected ipv4 or ipv6, found the text 'ipv5'"),
        ("family: ipv6", "iptables", "2:14: iptables is for IPv4 only here, and 'service' has"),
    ],
)
def test_what_is_for_one_family_only_is_told_with_its_place(
    service: str, scheduler: str, fault: str
) -> None:
    with pytest.raises(ScenarioError) as told:
        six(service, scheduler)
    assert str(told.value).startswith(f"t.yaml:{fault}")


def test_a_testbed_whose_addresses_are_there_refuses_another_family() -> None:
    scenario = six("family: ipv6")
    check_capabilities(scenario.name, scenario.needs(), {})
    with pytest.raises(UsageError, match="wants `family: ipv6`: which addresses are used, the URL"):
        check_capabilities(scenario.name, scenario.needs(), LAB_ONLY)


def test_source_ports_are_in_turn_random_or_a_fixed_few() -> None:
    assert six("servers: 2").service.source_ports == "in-turn"
    assert six("source-ports: random").service.source_ports == "random"
    scenario = six("source-ports: 16")
    assert scenario.service.source_ports == 16
    with pytest.raises(UsageError, match="wants `source-ports: 16`: here this machine's kernel"):
        check_capabilities(scenario.name, scenario.needs(), LAB_ONLY)


@pytest.mark.parametrize("value", ["1001", "0", "true", "often", "1.5"])
def test_other_source_ports_are_refused_with_their_place(value: str) -> None:
    with pytest.raises(ScenarioError, match=r"t\.yaml:3:25: 'source-ports': expected "):
        six(f"source-ports: {value}")
