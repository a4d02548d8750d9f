"""A run under a label counts only where the kernel was set as the label says."""

from dataclasses import replace
from pathlib import Path

import pytest

from ipvsload.record.events import DirectorSettings
from ipvsload.record.reader import Recording, read
from ipvsload.report import junit, markdown
from ipvsload.report.figure_rows import column_header
from ipvsload.report.wording import legend
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from tests.skew_recording import SCENARIO, write_skew

ENTRY = (
    "{label: kept, scheduler: sh, flags: [sh-port], persistence: 60s, netmask: 24,"
    " sysctls: {conn_reuse_mode: 0}, timeouts: {tcp: 3s, tcpfin: 2s}}"
)
TEXT = SCENARIO.replace("[rr, lc]", f"[rr, {ENTRY}]").replace("  lc:\n", "  kept:\n")
TEXT = TEXT.replace("scheduler=lc", "scheduler=kept")
TIMEOUTS = {"tcp": 3, "tcp_fin": 2, "udp": 300}


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Two runs: of rr, and of all that was asked for under the label."""
    found = read(write_skew(tmp_path / "run", scenario_text=TEXT))
    plain, kept = found.runs
    plain.given_label = "rr"
    usual = {"tcp": 900, "tcp_fin": 120, "udp": 300}
    plain.events.append(DirectorSettings(1, 0, "director", usual, {"conn_reuse_mode": 1}))
    kept.given_label, kept.scheduler, kept.netmask = "kept", "sh", 24
    kept.events.append(DirectorSettings(2, 0, "director", TIMEOUTS, {"conn_reuse_mode": 0}))
    for number, sample in enumerate(kept.samples):
        services = tuple(
            one._replace(scheduler="sh", flags=0x11, persistent_timeout=60)
            for one in sample.services
        )
        kept.samples[number] = replace(sample, services=services)
    return found


def results(recording: Recording) -> Results:
    return evaluate(recording, parse_scenario(TEXT, "t.yaml"))


def test_what_was_asked_is_the_columns_name_and_no_surprise(recording: Recording) -> None:
    found = results(recording)
    assert found.verdict == "held"
    assert [(run.label, run.scheduler, run.valid) for run in found.runs] == [
        ("rr", "rr", True),
        ("kept", "sh", True),
    ]
    assert [run["label"] for run in found.to_json()["runs"]] == ["rr", "kept"]
    assert [column_header(one) for one in found.schedulers] == ["rr", "kept"]
    words = (
        "sh-port, persistent 60 s, netmask 24, conn_reuse_mode 0, tcp timeout 3 s, fin timeout 2 s"
    )
    assert legend(found) == [f"kept is sh, {words}"]
    assert "skew.kept.1" in junit.render(found)
    assert "| kept |" in markdown.render(found)


def test_what_nobody_asked_for_stands_beside_the_label(recording: Recording) -> None:
    event = DirectorSettings(2, 0, "director", TIMEOUTS, {"conn_reuse_mode": 0, "conntrack": 1})
    recording.runs[1].events.append(event)
    assert [column_header(one) for one in results(recording).schedulers][1] == "kept, conntrack 1"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"scheduler": "rr"}, "the scheduler sh, and the kernel shows rr"),
        ({"flags": 0x1}, "the flag sh-port, and the kernel shows no flag"),
        ({"persistent_timeout": 0, "flags": 0x10}, "persistent 60 s, and the kernel shows 0 s"),
        ({"persistent_timeout": 61}, "persistent 60 s, and the kernel shows 61 s"),
    ],
)
def test_a_service_that_is_not_as_asked_does_not_count(
    changed: dict[str, int | str], reason: str, recording: Recording
) -> None:
    run = recording.runs[1]
    last = run.samples[-1]
    run.samples[-1] = replace(
        last,
        services=tuple(one._replace(**changed) for one in last.services),  # type: ignore[arg-type]
    )
    found = results(recording)
    assert found.verdict == "invalid"
    assert f"the scenario asked for {reason}" in found.runs[1].reasons


@pytest.mark.parametrize(
    ("timeouts", "sysctls", "reason"),
    [
        (TIMEOUTS, {"conn_reuse_mode": 1}, "conn_reuse_mode 0 on director, and the kernel shows 1"),
        (TIMEOUTS, {}, "conn_reuse_mode 0 on director, and the kernel shows nothing"),
        ({"tcp": 3, "tcp_fin": 120}, {"conn_reuse_mode": 0},
            "fin timeout 2 s on director, and the kernel shows 120"),
        ({}, {"conn_reuse_mode": 0}, "tcp timeout 3 s on director, and the kernel shows nothing"),
    ],
)  # fmt: skip
def test_a_director_that_is_not_as_asked_does_not_count(
    timeouts: dict[str, int], sysctls: dict[str, int], reason: str, recording: Recording
) -> None:
    recording.runs[1].events.append(DirectorSettings(2, 1, "director", timeouts, sysctls))
    assert f"the scenario asked for {reason}" in results(recording).runs[1].reasons


def test_forwarding_is_a_part_of_the_label(recording: Recording) -> None:
    text = TEXT.replace("netmask: 24", "netmask: 24, forwarding: dr")
    recording.runs[1].forwarding = "dr"
    found = evaluate(recording, parse_scenario(text, "t.yaml"))
    assert found.runs[1].valid
    assert column_header(found.schedulers[1]) == "kept"
    assert "netmask 24, dr," in legend(found)[0]
    recording.runs[1].forwarding = "masq"
    found = evaluate(recording, parse_scenario(text, "t.yaml"))
    assert found.runs[1].reasons == (
        "the scenario asked for forwarding: dr, and the kernel shows masq",
    )


def test_where_nobody_knows_what_is_set_it_does_not_count(recording: Recording) -> None:
    recording.runs[1].events.pop()
    recording.runs[1].netmask = 32
    assert results(recording).runs[1].reasons == (
        "the scenario asked for netmask 24, and the kernel shows 32",
        "what is set on the director is not known, and the scenario asked for settings of it",
    )


def test_a_record_without_labels_is_read_as_before(tmp_path: Path) -> None:
    found = evaluate(read(write_skew(tmp_path / "run")), parse_scenario(SCENARIO, "t.yaml"))
    assert found.verdict == "held"
    assert [run.label for run in found.runs] == ["rr", "lc"]
    assert legend(found) == []
