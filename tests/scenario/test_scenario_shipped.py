"""What ships: the scenarios, their schema, the documentation, the purity."""

import ast
import json
import re
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

import ipvsload.scenario
from ipvsload.scenario.actions import SCENARIO_ACTIONS
from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.load import load
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Final, Live
from ipvsload.scenario.model import Scenario, Service, Step, Traffic
from ipvsload.scenario.schema import json_schema

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))


def test_the_documentation_names_each() -> None:
    listed = (ROOT / "docs/scenarios.md").read_text()
    assert {path.stem for path in SHIPPED} == set(re.findall(r"`([a-z-]+)\.yaml`", listed))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_scenario_loads_and_fits_the_schema(path: Path) -> None:
    assert load(path).name == path.stem
    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=../docs/scenario.schema.json\n")
    Draft202012Validator(json_schema()).validate(yaml.safe_load(text))


def test_the_schema_is_one_and_refuses_what_the_loader_refuses() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)

    def scenario() -> dict[str, object]:
        loaded: dict[str, object] = yaml.safe_load((ROOT / "scenarios/skew.yaml").read_text())
        return loaded

    changes: list[dict[str, object]] = [
        {"zzz": 1},
        {"schedulers": ["lcc"]},
        {"schedulers": []},
        {"traffic": {"Bad Name": {"users": 1}}},
        {"traffic": {"a": {"users": 1, "rate": 1}}},
        {"traffic": {"a": {"users": 1, "think": "10 sec"}}},
        {"timeline": [{"start": "a", "stop": "a"}]},
        {"timeline": [{"until": "done"}]},
        {"timeline": [{"start": None}]},
        {"expect": {"l c": ["done"]}},
    ]
    for change in changes:
        assert not validator.is_valid({**scenario(), **change}), change
    assert validator.is_valid(scenario())


@pytest.mark.parametrize(
    ("traffic", "good"),
    [
        ({"arrivals": {"file": "t.csv"}, "request": "GET {path}"}, True),
        ({"arrivals": "file: t.csv"}, True),
        ({"arrivals": "poisson", "rate": [{"from": 1, "to": 5, "over": "3s"}, 5]}, True),
        ({"users": {"users": 5, "over": 3}, "connection": {"keep-alive": "100 requests"}}, True),
        ({"users": 5, "request": "GET /{work}", "work": "lognormal 20ms 200ms"}, True),
        ({"arrivals": "poisson"}, False),
        ({"arrivals": "file: t.csv", "rate": 5}, False),
        ({"rate": {"from": 1, "over": "3s"}}, False),
        ({"users": 5, "connection": {"keep-alive": 100}}, False),
        ({"users": 5, "work": "normal 20ms"}, False),
    ],
)
def test_editors_know_what_traffic_may_be(traffic: dict[str, Any], good: bool) -> None:
    schema = json_schema()
    validator = Draft202012Validator({**schema["$defs"]["Traffic"], "$defs": schema["$defs"]})
    assert validator.is_valid(traffic) == good


def test_the_schema_in_the_documentation_is_this_one() -> None:
    """If not, `ipvsload schema > docs/scenario.schema.json` makes it so."""
    assert (ROOT / "docs/scenario.schema.json").read_text() == (
        json.dumps(json_schema(), indent=2) + "\n"
    )


def test_the_documentation_lists_exactly_the_measures() -> None:
    text = (ROOT / "docs/measures.md").read_text()
    cells = r"^\| `(\w+)`" + r" \| ([^|]*)" * 4 + r" \| [^|]+ \|$"
    rows = re.findall(cells, text, re.MULTILINE)

    def place(use: Live | Final | None) -> str:
        if use is None:
            return "-"
        return ", ".join(use.selectors) or "no selector"

    assert sorted(rows) == sorted(
        (kind.name, place(kind.live), place(kind.final), kind.unit, kind.better or "-")
        for kind in MEASURES.values()
    )


def documented_keys() -> list[tuple[str, str]]:
    """Each key of docs/scenario-keys.md with its default."""
    text = (ROOT / "docs/scenario-keys.md").read_text()
    return re.findall(r"^\| `([\w-]+)` \| ([^|]*?) ?\|", text, re.MULTILINE)


def fields() -> list[tuple[str, FieldInfo]]:
    """Each key that a scenario may have."""
    mappings = [action for action in SCENARIO_ACTIONS.values() if action.yaml_type() is action]
    models = (Scenario, Service, Capacity, Traffic, Step, *mappings)
    return [
        (field.alias or key, field) for model in models for key, field in model.model_fields.items()
    ]


def test_the_documentation_names_every_key() -> None:
    assert {key for key, _ in documented_keys()} == {key for key, _ in fields()}


IN_WORDS = {
    "two servers",
    "1 each",
    "no limit",
    "the first",
    "latency_p95 and failed_share of each class",
}
"""Defaults that the documentation does not write as in a scenario."""


def test_the_documentation_says_the_defaults() -> None:
    told: dict[str, list[str]] = {}
    for key, default in documented_keys():
        told.setdefault(key, []).append(default)
    wrong = [
        (key, told[key])
        for key, field in fields()
        if not any(is_default(field, text) for text in told[key])
    ]
    assert wrong == []


def is_default(field: FieldInfo, text: str) -> bool:
    if field.is_required() or text == "needed":
        return field.is_required() and text == "needed"
    if text in IN_WORDS:
        return True
    if text == "":
        return not field.default
    key: Any = Annotated[field.annotation, *(field.metadata or [None])]
    return bool(TypeAdapter(key).validate_python(yaml.safe_load(text)) == field.default)


def test_the_package_imports_nothing_that_acts() -> None:
    acting = {"gevent", "locust", "pyroute2", "kubernetes", "os", "socket", "subprocess"}
    for path in Path(ipvsload.scenario.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not acting & {name.split(".")[0] for name in names}, path.name
