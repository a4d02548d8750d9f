"""The measures of a record as expectations read them: their values, and why there is none."""

from pathlib import Path

import pytest

from ipvsload.record.events import ServerCondition
from ipvsload.record.reader import read
from ipvsload.report.figure_rows import figure_rows
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.measures.record_totals import NO_RECORD
from ipvsload.simulate.play_summary import play_summary
from tests.request_edits import edited
from tests.simulate.played import played
from tests.skew_recording import ONE, SCENARIO, write_skew

NOTHING_ELSE = SCENARIO.split("expect:")[0]


def asked(directory: Path, *conditions: str, kill: bool = False) -> Results:
    """The results of a recorded skew, of which this is expected."""
    text = NOTHING_ELSE + "expect:\n  all:\n" + "".join(f"    - {one}\n" for one in conditions)
    recording = read(write_skew(directory, scenario_text=text))
    for run in recording.runs if kill else ():
        with edited(run) as requests:
            lost = [i for i, r in enumerate(requests) if r.server == ONE][-3:]
            began = min(requests[i].start_us for i in lost) - 1
            for i in lost:
                requests[i] = requests[i]._replace(error="reset", status=0)
        run.events.append(ServerCondition(run.number, began, ONE, 1, "killed"))
    return evaluate(recording, parse_scenario(text, "t.yaml"))


def values(results: Results) -> list[dict[str, float | None]]:
    return [{e.expression.split()[0]: e.measured for e in run.expectations} for run in results.runs]


def test_what_the_skew_says(tmp_path: Path) -> None:
    names = ("active_jain", "active_peak", "weight_departure{class=short}", "weight_departure",
             "table_delay{server=2}", "first_request_delay{server=2}")  # fmt: skip
    rr, lc = values(asked(tmp_path / "run", *(f"{name} >= 0" for name in names)))
    # Ten long requests hold the first of two servers for as long as samples see anything.
    assert rr["active_jain"] == pytest.approx(0.5, abs=0.05)
    assert lc["active_peak"] == pytest.approx(2, abs=0.1)
    assert rr["weight_departure{class=short}"] == 0
    assert lc["weight_departure{class=short}"] == 0.5
    # Ten connections had no choice, and the fair part of the second is that of the hundred.
    assert lc["weight_departure"] == pytest.approx(50 / 110)
    assert rr["table_delay{server=2}"] == pytest.approx(0.08)  # the sample at 0.5 s, from 0.42
    assert lc["first_request_delay{server=2}"] == pytest.approx(0.18, abs=0.001)


def test_lost_requests_and_those_of_a_server(tmp_path: Path) -> None:
    found = asked(
        tmp_path / "run", "lost == 3", "lost{server=1} == 3", "lost{class=long} >= 0", kill=True
    )
    assert [one.held for one in found.runs[0].expectations] == [True, True, True]
    assert sum(t.lost or 0 for t in found.runs[0].traffic.values()) == 3
    rows = {row.label: row.cells for row in figure_rows(found.schedulers, {})}
    assert sum(int(c[0]) for label, c in rows.items() if "lost with a server" in label) == 3


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("balance_time == 0", "server 2: its active connections never came to stay"),
        ("balance_time{server=1} == 0", "no server joined or came back while"),
        ("first_request_delay{server=1} > 0", "server 1 did not join or return, or served no"),
        ("table_delay{server=1} > 0", "no step of the timeline changed server 1's row"),
        ("lost == 0", "no server was removed, killed or drained"),
        ("lateness_p99{class=short} < 1ms", "only a class with a rate can be late"),
    ],
)
def test_why_there_is_none(tmp_path: Path, condition: str, why: str) -> None:
    (one,) = asked(tmp_path / "run", condition).runs[0].expectations
    assert one.held is False
    assert one.measured is None
    assert why in (one.reason or "")


OPEN = """
name: open
schedulers: [rr]
service: {servers: 2, capacity: {workers: 2}}
traffic:
  work: {request: "GET /delay/{work}", work: exponential 20ms, rate: 100, duration: 5s}
timeline:
  - start: work
  - wait: done
expect:
  all:
    - utilisation_jain > 0.5 and utilisation_jain <= 1
    - utilisation_peak >= 1 and utilisation_peak <= 2
    - lateness_max{class=work} == 0
    - weight_departure{server=1} < 0.1%
"""


def test_of_a_simulation_and_of_one_that_keeps_no_record(tmp_path: Path) -> None:
    _, results = played(tmp_path / "run", OPEN)
    assert [e for e in results.runs[0].expectations if not e.held] == []
    scenario = parse_scenario(OPEN, "open.yaml")
    summary = play_summary(scenario, scenario.schedulers, 1)
    assert [e.held for e in summary.runs[0].expectations] == [False] * 4
    assert {e.reason for e in summary.runs[0].expectations} == {NO_RECORD}
