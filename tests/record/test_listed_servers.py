"""The servers of requests out of the director's list: recorded, read, judged, and told."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.events import (
    ClassStarted,
    ClockAligned,
    ListRead,
    RecordingEnded,
    RunEnded,
    RunStarted,
    ServerJoined,
)
from ipvsload.record.format import CONNECTIONS, ListedConnection, Request, Sample
from ipvsload.record.new_runs import NewRuns
from ipvsload.record.reader import read
from ipvsload.record.writer import RunWriter
from ipvsload.report.attribution_words import attributed
from ipvsload.report.exports.export_recording import export_recording
from ipvsload.report.terminal_table import print_results
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario

CLIENT, ONE, TWO = "198.51.100.200", "198.51.100.11:80", "198.51.100.12:80"
SCENARIO = """
name: it
schedulers: [rr]
service: {servers: 2}
traffic: {short: {users: 1, requests: 4}}
timeline: [{start: short, until: done}]
"""
SERVERS: tuple[str | None, ...] = (ONE, TWO, ONE, TWO)
MS = 1_000


def recording(
    directory: Path,
    *,
    named: Sequence[str | None] = SERVERS,
    listed: Sequence[str] = (ONE, TWO, ONE, TWO),
    client: str = CLIENT,
    exclusive: bool = False,
    why: str | None = None,
    offset_us: int = 0,
) -> Path:
    """Four connections of a millisecond each; the director's clock goes `offset_us` apart."""
    writer = RunWriter(
        directory, scenario_text=SCENARIO, scenario="it", testbed="external", origin_unix_us=1
    )
    kernel = {"release": "6.1", "provider": "node"}
    writer.event(RunStarted(1, 0, "rr", 1, kernel, "tcp 192.0.2.80:80", {}, exclusive=exclusive))
    for number, address in enumerate((ONE, TWO), 1):
        writer.event(ServerJoined(1, 1, address, number, 1))
    writer.event(ClockAligned(1, 1, "lb1", offset_us, 9))
    writer.event(ClassStarted(1, 2, "short"))
    for at, server in enumerate(named, 1):
        start = at * 100 * MS
        request = Request(
            1, "short", start, start, MS, 200, 9, CLIENT, 1024 + at, False, server, None
        )
        writer.request(request)
        if at <= len(listed):
            read_us = start + 200 if offset_us else start + 500
            row = ListedConnection(1, read_us, client, 1024 + at, listed[at - 1], "FIN_WAIT")
            writer.connections([row])
            writer.flush()
    servers = tuple(RealServer(one, 1, 0, 1, 1, *[0] * 5) for one in (ONE, TWO))
    service = VirtualService("tcp 192.0.2.80:80", "rr", 0, 0, 0, 0, 0, 0, 0, servers)
    for t_us in range(0, 900 * MS, 100 * MS):
        writer.sample(Sample(1, "lb1", t_us, 0, (service,)))
    if listed or why:
        writer.event(ListRead(1, 900 * MS, "lb1", 600 * MS, 70, "ip_vs_conn", why))
    writer.event(ClockAligned(1, 901 * MS, "lb1", 0, 9))
    writer.event(RunEnded(1, 902 * MS, complete=True, seconds={}))
    writer.event(RecordingEnded(0, 903 * MS))
    writer.close()
    return directory


def results(directory: Path) -> Results:
    return evaluate(read(directory), parse_scenario(SCENARIO, "it"))


def split(found: Results) -> list[int | None]:
    return [server.requests["short"] for server in found.runs[0].servers]


def test_where_answers_name_no_server_the_kernels_word_is_taken(tmp_path: Path) -> None:
    found = results(recording(tmp_path / "it", named=[None] * 4))
    (run,) = found.runs
    assert split(found) == [2, 2]
    assert (run.valid, run.notes) == (True, ())
    assert run.attribution
    assert (run.attribution.told, run.attribution.agreed, run.attribution.open) == (4, 0, 0)
    assert [server.latency_ms["short"]["max"] for server in run.servers] == [1.0, 1.0]
    told = "servers of requests: 4 told by the director's list of connections; no answer names"
    assert attributed(found).startswith(told)
    (seen,) = NewRuns(tmp_path / "it").take()
    assert [one.server for one in seen.requests] == list(SERVERS)
    assert [at for block in seen.requests.blocks("server") for at in block.server.tolist()] == [
        seen.requests.texts.index(one) for one in SERVERS
    ]


def test_two_witnesses_agree_or_the_run_does_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = results(recording(tmp_path / "agree"))
    assert found.runs[0].valid
    assert attributed(found).endswith("all 4 answers that name theirs agree")
    forged = results(recording(tmp_path / "forged", named=(ONE, TWO, ONE, ONE)))
    (run,) = forged.runs
    assert forged.verdict == "invalid"
    (reason,) = run.reasons
    assert reason == (
        "1 answer named another server than the kernel had chosen: short at 0.400 s from"
        f" {CLIENT}, port 1028, was answered by {ONE}, and the director's list of connections has"
        f" {TWO}"
    )
    print_results(forged)
    assert "1 answer named another one" in " ".join(capsys.readouterr().out.split())
    assert forged.to_json()["runs"][0]["attribution"]["disagreements"][0]["kernel"] == TWO


def test_a_name_that_is_no_address_is_no_second_witness(tmp_path: Path) -> None:
    found = results(recording(tmp_path / "it", named=["web-1", "web-2:80", None, "web"]))
    assert found.runs[0].valid
    assert split(found) == [2, 2]


@pytest.mark.parametrize(
    ("listed", "client", "why", "said"),
    [
        ((), CLIENT, None, "was not read, which a sidecar of an earlier version cannot do"),
        ((), CLIENT, "it is broken", "may lack some: it is broken"),
        ((ONE,) * 4, "203.0.113.1", None, "none of the 4 connections in its list came from"),
        ((ONE,), CLIENT, None, "their ports came again before"),
    ],
)
def test_why_a_server_is_not_known_is_said(
    tmp_path: Path, listed: tuple[str, ...], client: str, why: str | None, said: str
) -> None:
    found = results(
        recording(tmp_path / "it", named=[None] * 4, listed=listed, client=client, why=why)
    )
    assert split(found) == [None, None]
    assert found.runs[0].valid
    assert any(said in note for note in found.runs[0].notes), found.runs[0].notes


def test_the_exported_requests_have_them_too(tmp_path: Path) -> None:
    directory = recording(tmp_path / "it", named=[None] * 4)
    for _ in export_recording(directory, "csv", tmp_path / "out", print):
        pass
    with (tmp_path / "out" / "requests.csv").open() as file:
        assert [row["server"] for row in csv.DictReader(file)] == list(SERVERS)


def test_a_clock_that_moved_is_allowed_for(tmp_path: Path) -> None:
    # A row of before the opening, by the clock of the director.
    directory = recording(tmp_path / "it", named=[None] * 4, offset_us=300)
    run = read(directory).runs[0]
    assert run.listed
    assert [one.server for one in run.requests] == list(SERVERS)


def test_what_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    directory = recording(tmp_path / "it", named=[None] * 4)
    path = directory / CONNECTIONS
    path.write_bytes(path.read_bytes()[:-3])
    found = read(directory)
    assert [one.server for one in found.runs[0].requests] == [*SERVERS[:3], None]
