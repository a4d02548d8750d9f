"""Recordings against each other: which columns are pairs, and when blocks are."""

import math
import statistics
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.reader import read
from ipvsload.report.write import load_results
from ipvsload.results.comparison import ComparedRecording
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.recording_pairs import compared_columns
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.model import Scenario
from ipvsload.statistics.difference import paired_difference, unpaired_difference
from tests.skew_recording import SCENARIO, write_skew

MEASURE = "latency_p95{class=short}"


def column(label: str, *values: float, measure: str = MEASURE) -> MeasuredColumn:
    blocks = tuple(enumerate(values, 1))
    middle = statistics.median(values) if values else None
    return MeasuredColumn(label, measure, "ms", "less", blocks, middle, None)


def recorded(name: str, *columns: MeasuredColumn, text: str = SCENARIO) -> ComparedRecording:
    results = Results("skew", "", "lab", 0, "held", (), columns=columns, baseline=columns[0].label)
    return ComparedRecording(name, results, text, parsed(text))


@cache
def parsed(text: str) -> Scenario:
    return parse_scenario(text, "skew.yaml")


OTHER_LOAD = SCENARIO.replace("requests: 100", "requests: 101")
LOW = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7)
HIGH = tuple(value + 1 + place / 100 for place, value in enumerate(LOW))


def test_a_column_stands_against_its_own_in_the_other() -> None:
    one = recorded("one", column("rr", *LOW), column("lc", *HIGH))
    two = recorded("two", column("lc", *LOW), column("rr", *LOW), text=OTHER_LOAD)
    found = compared_columns([one, two])
    assert [(pair.label_a, pair.label_b) for pair in found.pairs] == [("rr", "rr"), ("lc", "lc")]
    rr, lc = (pair.comparison for pair in found.pairs)
    assert (rr.a, rr.b) == ("rr in one", "rr in two")
    assert (rr.verdict, lc.verdict) == ("~", "less")
    assert lc.n == (8, 8)
    assert lc.tests == 2
    assert (lc.paired, found.paired) == (False, False)
    test = unpaired_difference([*map(math.log, HIGH)], [*map(math.log, LOW)])
    assert lc.p == test.p
    assert lc.difference == pytest.approx(statistics.median(HIGH) * math.expm1(test.estimate))


def test_the_runs_of_a_repeat_are_a_pair_where_the_load_was_the_same() -> None:
    """Each run is slower by little, which their spread hides from a test that knows no pairs."""
    slower = [value + 0.01 * (1 + place / 10) for place, value in enumerate(LOW)]
    one = recorded("one", column("rr", *LOW))
    # Other comments, schedulers and expectations are the same load.
    text = SCENARIO.replace("[rr, lc]", "[rr]").partition("expect:")[0] + "# here\n"
    found = compared_columns([one, recorded("two", column("rr", *slower), text=text)])
    (pair,) = found.pairs
    assert found.paired
    assert pair.comparison.verdict == "greater"
    assert pair.comparison.p == paired_difference(dict(enumerate(LOW)), dict(enumerate(slower))).p
    (pair,) = compared_columns([one, recorded("two", column("rr", *slower), text=OTHER_LOAD)]).pairs
    assert (pair.comparison.paired, pair.comparison.verdict) == (False, "~")


@pytest.mark.parametrize(
    "change",
    [
        ("name: skew", "name: skew\nseed: 2"),
        ("users: 5", "users: 6"),
        ("scale: 2", "scale: 3"),
        ("servers: 1", "servers: 1\n  clients: 3"),
    ],
)
def test_another_load_is_no_pair(change: tuple[str, str]) -> None:
    one = recorded("one", column("rr", *LOW))
    text = SCENARIO.replace("servers == 2", "servers >= 2").replace(*change)
    again = recorded("again", column("rr", *LOW))
    assert compared_columns([one, again]).paired
    assert not compared_columns([one, recorded("two", column("rr", *LOW), text=text)]).paired
    # One unpaired recording makes all tests those of the same kind.
    two = recorded("two", column("rr", *LOW), text=text)
    assert not compared_columns([one, again, two]).paired
    lost = replace(again, scenario=None)
    assert not compared_columns([one, lost]).paired
    elsewhere = replace(again, results=replace(again.results, testbed="external"))
    assert not compared_columns([one, elsewhere]).paired


def test_without_a_column_in_both_the_baseline_is_compared() -> None:
    one = recorded("one", column("rr", *LOW), column("lc", *HIGH))
    two = recorded("two", column("sed", *LOW), column("nq", *HIGH))
    found = compared_columns([one, two, recorded("three", column("rr", *HIGH))])
    assert [(pair.other, pair.label_a, pair.label_b) for pair in found.pairs] == [
        ("two", "rr", "sed"), ("two", "rr", "nq"), ("three", "rr", "rr"),
    ]  # fmt: skip
    assert found.unlike == ("two",)


def test_measures_that_only_one_has_are_left_out() -> None:
    one = recorded("one", column("rr", *LOW), column("rr", *LOW, measure="failed_share"))
    two = recorded("two", column("rr", *LOW), column("rr", *LOW, measure="retries"))
    assert [pair.comparison.measure for pair in compared_columns([one, two]).pairs] == [MEASURE]
    nothing = replace(two, results=replace(two.results, columns=()))
    assert compared_columns([one, nothing]).pairs == ()


def test_all_pairs_are_one_family_of_tests() -> None:
    one = recorded("one", *(column(f"c{n}", *LOW) for n in range(20)))
    two = recorded("two", *(column(f"c{n}", *HIGH) for n in range(20)), text=OTHER_LOAD)
    comparisons = [pair.comparison for pair in compared_columns([one, two, two]).pairs]
    assert {one.tests for one in comparisons} == {40}
    assert min(one.p_holm or 0 for one in comparisons) == pytest.approx(
        40 * (comparisons[0].p or 0)
    )


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=0, max_size=6), min_size=2, max_size=4))
def test_whatever_was_measured_there_is_a_verdict(values: list[list[float]]) -> None:
    recordings = [recorded(str(n), column("rr", *some)) for n, some in enumerate(values)]
    for pair in compared_columns(recordings).pairs:
        assert pair.comparison.verdict in ("less", "greater", "equivalent", "~")
        assert bool(pair.a.blocks and pair.b.blocks) or pair.comparison.difference is None


def test_a_recording_brings_its_scenario(tmp_path: Path) -> None:
    recording, results = load_results(write_skew(tmp_path / "run"))
    one = ComparedRecording.of("one", recording, results)
    assert one.scenario is not None
    assert (one.scenario.name, one.scaled) == ("skew", "")
    (tmp_path / "run" / "scenario.yaml").unlink()
    lost = ComparedRecording.of("lost", read(tmp_path / "run"), results)
    assert (lost.scenario, lost.scenario_text) == (None, None)
