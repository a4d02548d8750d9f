"""YAML in: bounded whatever it is, and every part of it has a place."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.scenario import source
from ipvsload.scenario.load import ScenarioError, parse_scenario
from ipvsload.scenario.source import SourceError, read


def refused(text: str) -> str:
    with pytest.raises(SourceError) as caught:
        read(text)
    return f"{caught.value.line}:{caught.value.column}: {caught.value.text}"


def laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        aliases = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{aliases}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 1_000_000, "1:33: nested deeper than 32; a scenario needs 5"),
        ("[\n" * 10_000, "33:1: nested deeper than 32; a scenario needs 5"),
        ("- " * 100_000, "1:65: nested deeper than 32; a scenario needs 5"),
        ("{a: " * 100_000, "1:126: nested deeper than 32; a scenario needs 5"),
        (laughs(), "5:10: more than 10000 values, aliases expanded; too many"),
        ("[" + "a, " * 20_000, "1:29999: more than 10000 values, aliases expanded; too many"),
        ("a\n" * 500_000, "20000:1: more than 20000 lines; this is no scenario file"),
        ("'" + "x" * 20_000 + "'", "1:1: a text of more than 10000 characters"),
        ("a: " + "9" * 5_000, "1:4: a number of more than 40 digits"),
    ],
    ids=["brackets", "lines", "dashes", "braces", "laughs", "items", "long", "text", "digits"],
)
def test_what_explodes_is_refused_where_it_passes_the_limit(text: str, message: str) -> None:
    assert refused(text) == message


def test_depth_counts_through_aliases() -> None:
    deep = "a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 20 + "*a" + "]" * 20
    assert refused(deep) == "2:24: nested deeper than 32; a scenario needs 5"


def test_scalars_are_read_as_yaml_1_2_does() -> None:
    text = "[no, 1:30, 010, 1e3, .5, true, '1', 2020-01-01, -7, !!str 5, 0x10, .inf]"
    expected = ["no", "1:30", 10, 1000.0, 0.5, True, "1", "2020-01-01", -7, "5", "0x10", ".inf"]
    assert read(text).data == expected


def test_what_yaml_allows_beside_that() -> None:
    """The tag "!" keeps a text as it is written; a name of an anchor may be used again."""
    assert read("[! 5, ! 'a', !!int 5]").data == ["5", "a", 5]
    assert read("[&a 1, *a, &a [2], *a]").data == [1, 1, [2], [2]]
    assert refused("a: &a [x, *a]") == "1:11: the alias '*a' contains itself"
    assert refused("a: ! [x]") == "1:4: the tag '!' is not read here; take it away"


def test_places_of_keys_values_and_columns_within_a_text() -> None:
    tree = read("a:\n  - 'text'\n  - b: \"x\\ty\"\n    c: plain\n")
    assert tree.where(("a",), at_key=True) == (1, 1)
    assert tree.where(("a", 0)) == (2, 5)
    assert tree.where(("a", 0), column=2) == (2, 7)
    assert tree.where(("a", 1, "b"), column=4) == (3, 8)  # escapes: only the start is sure
    assert tree.where(("a", 1, "c"), at_key=True) == (4, 5)
    assert tree.where(("a", 1, "c"), column=3) == (4, 10)
    assert tree.where(("a", 1, "nowhere", 7)) == (3, 5)


plain_data = st.recursive(
    st.integers(-(10**9), 10**9) | st.booleans() | st.text("ab:- {}[]#'\"\n1.e", min_size=1),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc- ", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(plain_data, st.booleans())
def test_data_survive_the_way_through_yaml(data: object, flow: bool) -> None:
    assert read(yaml.safe_dump(data, default_flow_style=flow)).data == data


@given(st.text(max_size=200) | st.text("[]{}:,-&*a!'\"\\|>%#? \n\t~1", max_size=80))
def test_arbitrary_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    try:
        read(text)
    except SourceError as error:
        refusal = error
    else:
        return
    assert 1 <= refusal.line <= len(text.splitlines()) + 1
    assert refusal.column >= 1


KEYS = [
    "name", "title", "schedulers", "service", "servers", "weights", "clients", "traffic", "long",
    "users", "rate", "requests", "duration", "think", "connection", "timeout", "timeline",
    "start", "stop", "scale", "reweigh", "server", "weight", "remove", "kill", "wait", "until",
    "within", "expect", "all", "rr", "compare", "Bad Name",
]  # fmt: skip
SCALARS = st.sampled_from(
    ["long", "short", "rr", "GET /ip", "10s", "done", "done{class=long}", "active == 1",
     "active{server=2} >= 1 or elapsed > 3", "share{class=long, server=1} == 1/0", "new", "",
     "x" * 300, 0, 1, 2, 3, -1, 0.5, 10**30, True]
)  # fmt: skip
almost = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=25,
)
traffic = st.fixed_dictionaries(
    {"users": st.integers(1, 9)},
    optional={"requests": st.integers(1, 9), "duration": SCALARS, "think": st.just("1s")},
)
conditions = st.sampled_from(
    ["done", "done{class=a}", "active{server=1} == 3", "servers > 1", "weight{server=2} == 0",
     "elapsed >= 40", "not done{class=b}", "requests{class=a} + conns >= 7 - inflight / users"]
)  # fmt: skip
steps = st.one_of(
    st.fixed_dictionaries({"start": st.sampled_from(["a", "b", ["a", "b"], "c"])},
                          optional={"until": conditions}),
    st.fixed_dictionaries({"stop": st.sampled_from(["a", "b"])}, optional={"until": conditions}),
    st.fixed_dictionaries({"scale": st.integers(1, 4)}, optional={"until": conditions}),
    st.fixed_dictionaries({"kill": st.integers(1, 4)}),
    st.fixed_dictionaries({"remove": st.integers(1, 4)}),
    st.fixed_dictionaries({"wait": conditions | st.integers(0, 40)}),
    st.fixed_dictionaries(
        {"reweigh": st.fixed_dictionaries({"server": st.integers(1, 3), "weight": st.just(0)})}
    ),
)  # fmt: skip
whole = st.fixed_dictionaries(
    {
        "name": st.just("t"),
        "schedulers": st.just(["rr", "lc"]),
        "traffic": st.fixed_dictionaries({"a": traffic, "b": traffic}) | almost,
        "timeline": st.lists(steps, min_size=1, max_size=8) | almost,
    },
    optional={"expect": almost, "service": almost},
)


@given(almost | whole)
def test_arbitrary_data_are_a_scenario_or_a_scenario_error(data: object) -> None:
    try:
        parse_scenario(yaml.safe_dump(data), "t.yaml")
    except ScenarioError as error:
        lines = str(error).splitlines()
    else:
        return
    assert all(line.startswith(("t.yaml:", "... and ")) for line in lines)
    assert 1 <= len(lines) <= 21


def test_the_limits_leave_room_for_the_largest_scenario_that_makes_sense() -> None:
    weights = ", ".join(["1"] * 1000)
    tree = read(f"service: {{servers: 1000, weights: [{weights}]}}")
    assert tree.data == {"service": {"servers": 1000, "weights": [1] * 1000}}
    assert source.MAX_NODES > 2000
