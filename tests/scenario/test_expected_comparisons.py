"""How schedulers are to be compared: what somebody writes, and what is said of mistakes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.scenario.comparison_expectation import ComparisonExpectation
from ipvsload.scenario.comparison_grammar import read_comparison, read_measure
from ipvsload.scenario.grammar import ExpressionError
from ipvsload.scenario.load import ScenarioError, parse_scenario
from ipvsload.scenario.measured_difference import part_of_percentage
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.model import Scenario

SCENARIO = """\
name: t
schedulers: [rr, lc, {scheduler: sh, flags: [sh-port], label: by-port}]
baseline: lc
margin: 2.5 %
measures: [latency_p50, "rps{class=short}"]
traffic: {short: {users: 1, requests: 3}}
timeline: [{start: short, until: done}]
expect:
  all:
    - failures == 0
  compare:
    - less{latency_p95{class=short}, lc, rr}
    - latency_p95{scheduler=lc} <= latency_p95{scheduler=rr}
    - 'equivalent { rps{ class: "short" } , "lc" , by-port }'
"""


def said(text: str) -> list[str]:
    try:
        parse_scenario(text, "t.yaml")
    except ScenarioError as error:
        return str(error).splitlines()
    return []


def compared(scenario: Scenario) -> list[tuple[str, Measure, tuple[str, str]]]:
    return [(one.verdict, one.measure, one.labels) for one in scenario.expected_comparisons]


def test_what_a_scenario_says_of_comparisons() -> None:
    scenario = parse_scenario(SCENARIO, "t")
    assert (scenario.baseline, scenario.margin) == ("lc", 0.025)
    assert scenario.measures == (Measure("latency_p50"), Measure("rps", "short"))
    assert compared(scenario) == [
        ("less", Measure("latency_p95", "short"), ("lc", "rr")),
        ("equivalent", Measure("rps", "short"), ("lc", "by-port")),
    ]
    conditions = {key: list(map(str, found)) for key, found in scenario.conditions.items()}
    assert conditions == {
        "all": ["failures == 0"],
        "compare": ["latency_p95{scheduler=lc} <= latency_p95{scheduler=rr}"],
    }
    first = scenario.expect["compare"][0]
    assert isinstance(first, ComparisonExpectation)
    assert str(first) == "less{latency_p95{class=short}, lc, rr}"


def test_without_a_word_of_it_there_is_a_margin_and_no_baseline() -> None:
    bare = SCENARIO.partition("baseline")[0] + "traffic" + SCENARIO.partition("traffic")[2]
    scenario = parse_scenario(bare.partition("expect")[0], "t")
    assert (scenario.baseline, scenario.margin, scenario.measures) == (None, 0.05, ())
    assert scenario.expected_comparisons == ()


FIRST = "less{latency_p95{class=short}, lc, rr}"


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("baseline: lc", "baseline: lcc",
         "3:11: unknown scheduler 'lcc'; did you mean 'lc'?"),
        ("baseline: lc", "baseline: sed",
         "3:11: 'sed' is not among the schedulers of this scenario (rr, lc and by-port)"),
        ("2.5 %", "0.05",
         "4:9: 'margin': expected a percentage such as 5%, above 0 and below 100, found 0.05"),
        ("2.5 %", "100%", "4:9: 'margin': expected a percentage such as 5%, above 0 and below 100,"
         " found the text '100%'"),
        ("latency_p50,", "latency_p5,", "5:12: unknown measure 'latency_p5';"
         " did you mean 'latency_p95'?"),
        ("latency_p50,", "active,",
         "5:12: 'active' is known while the load runs; use it in 'wait' or 'until'"),
        ("latency_p50,", "latency_p50 > 3,", "5:24: unexpected '>'; expected the end here"),
        ("latency_p50,", "done,", "5:12: 'done' is true or false, and no number"),
        ("latency_p50,", "[latency_p50],", "5:12: 'measures': expected a measure such as"
         " 'latency_p95{class=short}', found a list"),
        ('"rps{class=short}"', "latency_p50", "5:25: 'latency_p50' is listed twice; take one away"),
        ('"rps{class=short}"', '"rps{class=short, scheduler=lc}"',
         "5:26: 'scheduler' has no place here: each scheduler is measured"),
        ('"rps{class=short}"', ", ".join(["rps"] * 20),
         "5:11: 'measures': at most 20 of them, found a list"),
        (FIRST, "lesser{latency_p95, lc, rr}",
         "12:7: unknown comparison 'lesser'; did you mean 'less'?"),
        (FIRST, "less{latency_p95, lc, r}",
         "12:29: unknown scheduler 'r'; did you mean 'rr'?"),
        (FIRST, "less{latency_p95, lc, lc}", "12:29: 'lc' is compared with itself"),
        (FIRST, "less{latency_p95{class=shrt}, lc, rr}",
         "12:12: no class 'shrt' in latency_p95{class=shrt}; did you mean 'short'?"),
        (FIRST, "less{latency_p95{scheduler=rr}, lc, rr}",
         "12:12: 'scheduler' has no place in less: its schedulers stand after the measure"),
        (FIRST, "less{share{class=short}, lc, rr}",
         "12:12: 'share' needs a server, as in share{server=...}"),
        (FIRST, "less{latency_p95, lc}", "12:27: unexpected '}'; expected ',' here"),
        (FIRST, "less{latency_p95, lc, rr} and failures == 0",
         "12:33: unexpected 'and'; expected the end here"),
        (FIRST, "less latency_p95", "12:12: unexpected 'latency_p95'; expected '{' here"),
        ("failures == 0", "less{latency_p95, lc, rr}",
         "10:7: 'less' compares two schedulers, and has its place under 'compare' only"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(right: str, wrong: str, line: str) -> None:
    assert right in SCENARIO
    assert said(SCENARIO.replace(right, wrong, 1)) == [f"t.yaml:{line}"]


@given(st.text(st.sampled_from("less{}(),. lcrr_p95%=:'\"0-")))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    for read in (read_comparison, read_measure):
        refused: ExpressionError | None = None
        try:
            read(text)
        except ExpressionError as error:
            refused = error
        assert refused is None or 1 <= refused.column <= max(1, len(text))


@given(st.floats(0.001, 99.999))
def test_a_percentage_is_a_part(percent: float) -> None:
    for text in (f"{percent:.3f}%", f"{percent:.3f} %"):
        assert part_of_percentage(text) == pytest.approx(float(f"{percent:.3f}") / 100)


@pytest.mark.parametrize("text", ["0%", "100%", "5", "", "-5%", "5%%", "1e1%", "nan%", "5  %"])
def test_what_is_no_percentage_between_0_and_100(text: str) -> None:
    assert part_of_percentage(text) is None
