"""The registry of schedulers, and what is derived from it."""

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from ipvsload.ipvs.kernel_features import BY_OPTION, EXAMINED_MODULES
from ipvsload.ipvs.schedulers import SCHEDULERS, flag_names, refuses_weight_0
from ipvsload.scenario.names import SchedulerName

KNOWN = [
    "rr",
    "wrr",
    "lc",
    "wlc",
    "lblc",
    "lblcr",
    "dh",
    "sh",
    "sed",
    "nq",
    "fo",
    "ovf",
    "mh",
    "twos",
]


def test_the_order_is_the_one_that_people_know() -> None:
    assert list(SCHEDULERS)[: len(KNOWN)] == KNOWN
    assert SCHEDULERS["twos"].module == "ip_vs_twos"
    assert SCHEDULERS["mh"].option == "IP_VS_MH"


def test_a_scenario_knows_each_and_no_other() -> None:
    names = TypeAdapter(SchedulerName)
    schema = {"enum": list(SCHEDULERS), "type": "string"}
    assert json.dumps(names.json_schema()) == json.dumps(schema)
    with pytest.raises(ValidationError) as caught:
        names.validate_python("lru")
    assert caught.value.errors()[0]["type"] == "literal_error"


def test_a_node_is_asked_for_the_module_of_each() -> None:
    """Twos was forgotten once, when this was a list of its own."""
    assert {scheduler.module for scheduler in SCHEDULERS.values()} <= set(EXAMINED_MODULES)


def test_a_kernel_is_asked_for_the_option_of_each() -> None:
    for scheduler in SCHEDULERS.values():
        feature = BY_OPTION[scheduler.option]
        assert (feature.module, feature.since) == (scheduler.module, scheduler.since)


@pytest.mark.parametrize(
    ("name", "flags", "names"),
    [
        ("mh", 0x2 | 0x8 | 0x10, ["mh-fallback", "mh-port"]),
        ("sh", 0x10 | 0x20, ["sh-port", "flag-3"]),
        ("wlc", 0x1 | 0x8 | 0x20, ["flag-1", "flag-3"]),
        ("from-a-newer-kernel", 0x10, ["flag-2"]),
    ],
)
def test_flags_have_the_names_that_ipvsadm_gives_them(
    name: str, flags: int, names: list[str]
) -> None:
    assert flag_names(name, flags) == names


def test_where_a_hash_chooses_weight_0_refuses_unless_a_flag_has_it_fall_back() -> None:
    refusing = {name for name in SCHEDULERS if refuses_weight_0(name, 0)}
    assert refusing == {"dh", "sh", "mh"}
    assert {name for name in SCHEDULERS if refuses_weight_0(name, 0x8)} == {"dh"}
    assert not refuses_weight_0("unheard-of", 0)
