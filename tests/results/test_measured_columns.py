"""Columns and comparisons of a recording: which runs count, in which order, and in the file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.reader import read
from ipvsload.results.early_end import EarlyEnd
from ipvsload.results.evaluate import evaluate
from ipvsload.results.measured_columns import measured_columns
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.measures.base import Measure
from tests.skew_recording import SCENARIO, write_skew

P95 = Measure("latency_p95", class_="short")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Three blocks, in which lc was the first."""
    directory = write_skew(tmp_path_factory.mktemp("skew"), schedulers=("lc", "rr"), repeats=3)
    return evaluate(read(directory), parse_scenario(SCENARIO, "skew.yaml"))


def test_columns_stand_in_the_scenarios_order(results: Results) -> None:
    assert [one.label for one in results.schedulers] == ["rr", "lc"]
    measures = [f"{name}{{class={one}}}" for one in ("long", "short")
                for name in ("latency_p95", "failed_share")]  # fmt: skip
    assert [(one.measure, one.label) for one in results.columns] == [
        (measure, label) for measure in measures for label in ("rr", "lc")
    ]
    assert [(one.measure, one.a, one.b) for one in results.comparison] == [
        (measure, "rr", "lc") for measure in measures
    ]
    assert results.baseline == "rr"


def test_a_column_has_the_value_of_each_run(results: Results) -> None:
    found = next(one for one in results.columns if one.measure == str(P95) and one.label == "lc")
    of_runs = [run.traffic["short"].latency_ms["p95"] for run in results.runs if run.label == "lc"]
    assert [value for _, value in found.blocks] == of_runs
    assert [block for block, _ in found.blocks] == [1, 2, 3]
    assert (found.unit, found.better, found.ci95) == ("ms", "less", None)


def test_the_file_has_them_as_the_contract_says(results: Results) -> None:
    told = json.loads(json.dumps(results.to_json()))
    one = next(one for one in told["comparison"] if one["measure"] == str(P95))
    assert {
        "measure", "a", "b", "n", "median", "ci95", "difference", "difference_ci95",
        "p", "p_holm", "verdict",
    } <= one.keys()  # fmt: skip
    assert one["n"] == [3, 3]
    assert {"label", "measure", "median", "ci95", "blocks"} <= told["columns"][0].keys()


def test_runs_that_do_not_count_are_left_out_and_told(results: Results) -> None:
    first, second, third, *_ = [run for run in results.runs if run.label == "lc"]
    runs = (
        replace(first, valid=False),
        replace(second, ended_early=EarlyEnd("failures > 5 %", 1.0, None, "")),
        third,
        replace(third, repeat=4),
    )
    values = iter([7.0, None])  # nobody asks runs that do not count
    (found,) = measured_columns([(run, lambda _: next(values)) for run in runs], ["lc"], [P95])
    assert found.blocks == ((3, 7.0),)
    assert found.median == 7
    assert found.warnings[:3] == (
        "left out, since not valid: 1 of 4 runs",
        "left out, since ended early: 1 of 4 runs",
        "left out, since without a value: 1 of 4 runs",
    )


def test_without_a_scenario_nothing_is_compared(tmp_path: Path) -> None:
    found = evaluate(read(write_skew(tmp_path / "skew")), None)
    assert (found.columns, found.comparison, found.baseline) == ((), (), "rr")
