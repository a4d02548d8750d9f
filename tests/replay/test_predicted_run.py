from pathlib import Path

import pytest

from ipvsload.record.packet_file import write_packets
from ipvsload.record.reader import Recording, read
from ipvsload.record.witness import Packet, PacketKind, Witness
from ipvsload.replay.director_replay import DirectorReplay
from ipvsload.report.html import html_report
from ipvsload.results import predicted_run
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import RunResult
from ipvsload.scenario.load import parse_scenario
from tests.skew_recording import SCENARIO, write_skew


def write_recorded(directory: Path, *, wrong: int | None = None) -> Recording:
    """The skew's run under lc, whose packets are at the times of its requests."""
    write_skew(directory, schedulers=("lc",))
    packets = []
    connections = sorted(read(directory).runs[0].requests, key=lambda one: one.start_us)
    for number, one in enumerate(connections):
        begin, end = one.start_us * 1000, (one.start_us + one.latency_us) * 1000
        server = "198.51.100.11:80" if number == wrong else one.server or ""
        packets += [
            Packet(begin, PacketKind.CHOSEN, one.client, one.port, server),
            Packet(end, PacketKind.SERVER_FIN, one.client, one.port, server),
        ]
    write_packets(directory, 1, Witness(sorted(packets)))
    return read(directory)


def recorded(directory: Path, *, wrong: int | None = None) -> RunResult:
    recording = write_recorded(directory, wrong=wrong)
    return evaluate(recording, parse_scenario(SCENARIO, "skew.yaml")).runs[0]


def test_results_say_that_each_choice_is_the_models(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run")
    found = run.prediction
    assert found is not None
    assert (found.connections, found.matched, found.mismatched) == (110, 110, 0)
    assert found.witness
    predicted = [one.predicted.connections if one.predicted else None for one in run.servers]
    assert predicted == [10, 100]


def test_the_chart_has_the_choices_of_the_one_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = write_recorded(tmp_path / "run")
    begun: list[tuple[int, int]] = []
    plan = parse_scenario(SCENARIO, "skew.yaml")
    found = evaluate(recording, plan, lambda at, of: begun.append((at, of)))
    assert begun == [(1, 1)]
    assert len(found.choices[1]) == 110
    assert "choices" not in found.to_json()
    monkeypatch.delattr(DirectorReplay, "replayed")  # nobody asks for it again
    # Of each of two servers, in the small charts and in the panels.
    assert html_report.render(found, recording).count('class="predicted"') == 2 * 2


def test_a_choice_that_is_not_the_models_is_told_with_the_servers_then(tmp_path: Path) -> None:
    found = recorded(tmp_path / "run", wrong=60).prediction
    assert found is not None
    assert found.mismatched == 1
    [told] = found.mismatches
    assert (told.connection, told.traffic) == (61, "short")
    assert (told.chosen, told.predicted) == ("198.51.100.11:80", "198.51.100.12:80")
    assert next((one.active, one.inactive > 0) for one in told.servers) == (10, False)


def test_a_run_of_too_many_connections_is_not_replayed_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicted_run, "MOST_CONNECTIONS", 109)
    run = recorded(tmp_path / "run")
    assert run.prediction is None
    assert any("110 connections are too many" in note for note in run.notes)


def test_without_packets_it_is_replayed_by_times_where_it_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = read(write_skew(tmp_path / "run", schedulers=("lc",)))

    def evaluated() -> RunResult:
        return evaluate(recording, parse_scenario(SCENARIO, "skew.yaml")).runs[0]

    found = evaluated().prediction
    assert found is not None
    assert (found.connections, found.mismatched, found.witness) == (110, 0, False)
    assert found.matched + found.consistent == 110
    monkeypatch.setattr(predicted_run, "MOST_BY_TIMES", 109)
    run = evaluated()
    assert run.prediction is None
    assert any("too many for it without packets" in note for note in run.notes)
