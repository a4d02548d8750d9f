"""How late an open workload was sent, from its record."""

from pathlib import Path

from ipvsload.record.reader import read
from ipvsload.results.evaluate import evaluate
from ipvsload.results.lateness import lateness_ms
from ipvsload.scenario.load import parse_scenario
from tests.request_edits import edited
from tests.skew_recording import SCENARIO, write_skew

OPEN = SCENARIO.replace("users: 5, requests: 100, think: 50ms", "rate: 50, requests: 100")


def test_an_open_class_has_its_lateness_and_a_closed_one_has_none(tmp_path: Path) -> None:
    recording = read(write_skew(tmp_path / "run"))
    for run in recording.runs:
        with edited(run) as requests:
            short = [i for i, r in enumerate(requests) if r.traffic == "short"]
            for late, i in enumerate(short):
                planned = requests[i].planned_us
                requests[i] = requests[i]._replace(start_us=planned + 10 * late)
            # Its second start was recorded, which says nothing of the generator.
            requests[short[-1]] = requests[short[-1]]._replace(
                start_us=planned + 5_000_000, untaken="reset", retried=1
            )
    results = evaluate(recording, parse_scenario(OPEN, "t.yaml"))
    traffic = results.runs[0].traffic
    assert traffic["short"].lateness_ms == {"p50": 0.49, "p99": 0.98, "max": 0.98}
    assert traffic["long"].lateness_ms == {}
    of_all = results.schedulers[0].traffic["short"].lateness_ms
    assert {which: found.median for which, found in of_all.items() if found} == {
        "p50": 0.49,
        "p99": 0.98,
        "max": 0.98,
    }
    assert results.schedulers[0].traffic["long"].lateness_ms == {}


def test_without_a_request_there_is_no_lateness() -> None:
    assert lateness_ms([]) == {}
