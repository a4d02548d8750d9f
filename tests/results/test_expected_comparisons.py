"""less{}, greater{} and equivalent{}: what a comparison says, whichever way round."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.report.junit import render
from ipvsload.results.expected_comparisons import expected_comparison
from ipvsload.results.pair_comparison import PairComparison, PairVerdict
from ipvsload.results.results import Results, RunResult
from ipvsload.scenario.comparison_expectation import ComparisonExpectation
from ipvsload.scenario.comparison_grammar import read_comparison
from tests.simulate.played import played

SCENARIO = """
name: compared
schedulers: [rr, lc, nq]
measures: ["latency_mean{class=work}"]
service: {servers: 2, capacity: {workers: 2}}
traffic:
  work: {request: "GET /delay/{work}", work: exponential 40ms, rate: 95, arrivals: poisson,
         duration: 3s}
timeline: [{start: work, until: done}]
expect:
  all: [failures == 0]
  compare:
    - less{latency_mean{class=work}, lc, rr}
    - greater{latency_mean{class=work}, rr, lc}
    - less{latency_mean{class=work}, rr, lc}
    - latency_p95{scheduler=lc} < latency_p95{scheduler=rr}
    - equivalent{latency_mean, lc, rr}
    - equivalent{failed_share, lc, rr}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return played(tmp_path_factory.mktemp("compared") / "run", SCENARIO, repeats=12)[1]


def test_they_hold_where_the_comparison_says_so(results: Results) -> None:
    less, greater, wrong, _, not_equal, alike = results.comparisons
    pair = next(one for one in results.comparison if (one.a, one.b) == ("rr", "lc"))
    assert pair.verdict == "less"
    assert pair.difference is not None
    assert (less.held, less.measured) == (True, pair.difference)
    assert (greater.held, greater.measured) == (True, pair.turned.difference)
    assert (wrong.held, wrong.measured) == (False, pair.turned.difference)
    assert wrong.reason == "it is greater"
    assert (not_equal.held, not_equal.reason) == (False, "it is less")
    assert (alike.held, alike.measured) == (True, 0)
    assert results.verdict == "failed"


def test_they_stand_in_the_order_of_the_file_and_their_measures_are_tested(
    results: Results,
) -> None:
    assert [one.expression for one in results.comparisons][2:4] == [
        "less{latency_mean{class=work}, rr, lc}",
        "latency_p95{scheduler=lc} < latency_p95{scheduler=rr}",
    ]
    assert list(dict.fromkeys(one.measure for one in results.columns)) == [
        "latency_mean{class=work}", "latency_mean", "failed_share",
    ]  # fmt: skip


def test_junit_shows_them_as_the_others(results: Results) -> None:
    text = render(results)
    assert 'name="less{latency_mean{class=work}, lc, rr}"' in text
    assert "it is greater" in text


def test_too_few_blocks_cannot_hold_and_say_how_many_would(tmp_path: Path) -> None:
    for repeats, blocks in ((1, "1 block"), (3, "3 blocks")):
        _, found = played(tmp_path / str(repeats), SCENARIO, repeats=repeats)
        less = found.comparisons[0]
        assert less.held is False
        # Three pairs by two measures, as far as they differ at all: 2^(1 - 8) * 6 is below 0.05.
        assert less.reason is not None
        assert re.fullmatch(rf"{blocks} cannot show it among [56] tests: 8 can", less.reason)
        assert found.verdict == "failed"


def pair(verdict: PairVerdict = "~", blocks: int = 10) -> PairComparison:
    return PairComparison(
        "latency_p95", "rr", "lc", (blocks, blocks), (3.0, 2.0), (None, None), -1.0, None, 0.2,
        0.4, verdict, 0.05, tests=2, p_equivalent=0.01 if verdict == "equivalent" else 0.3,
    )  # fmt: skip


def expected(text: str) -> ComparisonExpectation:
    return ComparisonExpectation(text, read_comparison(text))


@pytest.mark.parametrize(
    ("verdict", "text", "held"),
    [
        ("less", "less{latency_p95, lc, rr}", True),
        ("less", "greater{latency_p95, rr, lc}", True),
        ("less", "less{latency_p95, rr, lc}", False),
        ("greater", "less{latency_p95, rr, lc}", True),
        ("greater", "greater{latency_p95, lc, rr}", True),
        ("equivalent", "equivalent{latency_p95, rr, lc}", True),
        ("equivalent", "equivalent{latency_p95, lc, rr}", True),
        ("equivalent", "less{latency_p95, lc, rr}", False),
        ("~", "less{latency_p95, lc, rr}", False),
        ("~", "equivalent{latency_p95, lc, rr}", False),
        ("less", "equivalent{latency_p95, lc, rr}", False),
    ],
)
def test_each_verdict_either_way_round(
    results: Results, verdict: PairVerdict, text: str, held: bool
) -> None:
    found = expected_comparison(expected(text), [pair(verdict)], results.runs)
    assert found.held is held
    assert (found.reason is None) is held


def test_a_difference_that_is_shown_may_be_within_the_margin(results: Results) -> None:
    small = replace(pair("less"), p_equivalent=0.01)
    for text in ("less{latency_p95, lc, rr}", "equivalent{latency_p95, lc, rr}"):
        assert expected_comparison(expected(text), [small], results.runs).held


def test_what_was_not_run_or_ended_early_is_not_asked(results: Results) -> None:
    text = "less{latency_p95, lc, rr}"
    without = [run for run in results.runs if run.label != "lc"]
    found = expected_comparison(expected(text), [], without)
    assert (found.held, found.reason) == (None, "lc was not run")
    runs: list[RunResult] = list(results.runs)
    early = runs[0].label
    runs[0] = replace(runs[0], ended_early=object())  # type: ignore[arg-type]
    first, second = (early, "rr" if early != "rr" else "lc")
    found = expected_comparison(expected(f"less{{latency_p95, {first}, {second}}}"), [], runs)
    assert (found.held, found.reason) == (None, f"a run of {early} ended early")
    found = expected_comparison(expected(text), [pair(blocks=0)], results.runs)
    assert (found.held, found.reason) == (False, "they have no blocks that count")
