"""What the watching of packets brought and cost, in results and reports."""

from dataclasses import replace

from ipvsload.record.events import WitnessKept
from ipvsload.record.reader import Recording
from ipvsload.report import markdown
from tests.report.rendering import printed, results

KEPT = WitnessKept(
    1, 1, packets=440, dropped=0, size=7_000, cpu_s=0.01, director_us={"p50": 385.4, "p99": 1060.7}
)


def watched(recording: Recording, *kept: WitnessKept) -> Recording:
    """The skew recording, whose first run ends with these events."""
    first, *others = recording.runs
    events = [*first.events, *kept]
    return replace(recording, runs=(replace(first, events=events), *others))


def test_results_and_reports_have_it(recording: Recording) -> None:
    found = results(watched(recording, KEPT))
    first, second = found.to_json()["runs"]
    assert first["witness"] == {
        "packets": 440,
        "dropped": 0,
        "size": 7_000,
        "cpu_s": 0.01,
        "director_us": {"p50": 385.4, "p99": 1060.7},
    }
    assert second["witness"] is None
    assert "| p99 | 1.06 ms | \u2013 |" in markdown.render(found)
    words = " ".join(printed(found).split())
    assert "packets at the director: 440 kept, none lost (0.01 MB, 0.01 s of CPU)" in words
    assert first["notes"] == results(recording).to_json()["runs"][0]["notes"]


def test_what_is_missing_is_noted(recording: Recording) -> None:
    why = "this user may not watch packets: Operation not permitted"
    found = results(watched(recording, replace(KEPT, packets=0, why=why, director_us={})))
    assert any(note.endswith(why) for note in found.runs[0].notes)
    assert "packets at the director:" not in printed(found)
    found = results(watched(recording, replace(KEPT, dropped=7)))
    assert any(
        note.startswith("7 packets at the director were seen") for note in found.runs[0].notes
    )
    assert "440 kept, 7 lost" in " ".join(printed(found).split())


def test_without_a_witness_nothing_is_said(recording: Recording) -> None:
    found = results(recording)
    assert "through the director" not in markdown.render(found)
    assert "packets" not in printed(found)
