"""Requests of an open workload: sent when they are due, with the work of their numbers."""

import time
from pathlib import Path
from typing import Any

import pytest
from gevent.event import Event

from ipvsload.scenario.model import Traffic
from ipvsload.scenario.scenario_files import ScenarioFiles
from tests.load.sending import OK, Sending, Server, read_request, until

Target = tuple[str, int]
MS = 1_000_000


def test_arrivals_are_counted_from_their_plan(target: Target) -> None:
    with Sending(target) as sending:
        records = sending.play(rate=500, requests=20)
    first = records[0].planned
    assert sorted(r.planned - first for r in records) == [n * 2 * MS for n in range(20)]
    assert {r.status for r in records} == {200}


@pytest.mark.parametrize(
    ("rate", "duration", "arrivals"), [(100, 0.1, 10), (100, 0.07, 7), (33, 0.1, 4), (1, 0.1, 1)]
)
def test_a_rate_for_a_time_is_a_number_of_arrivals(
    target: Target, rate: float, duration: float, arrivals: int
) -> None:
    # 100 * 0.07 is 7.000000000000001 in floating point.
    with Sending(target) as sending:
        assert len(sending.play(rate=rate, duration=duration)) == arrivals


def test_requests_ask_for_the_work_that_is_drawn_for_their_numbers() -> None:
    asked: list[str] = []

    def handle(sock: Any, _: Any) -> None:
        while request := read_request(sock):
            asked.append(request.split()[1].decode().removeprefix("/delay/"))
            sock.sendall(OK)

    spec: dict[str, Any] = {"request": "GET /delay/{work}", "work": "exponential 20ms"}
    spec |= {"connection": "keep-alive", "users": 1, "requests": 3}
    with Server(handle) as server, Sending(server.target) as sending:
        workload = sending.workload(**spec)
        for _ in range(2):
            workload.start()
            workload.over.wait()
        first, second = asked[:3], asked[3:]
        assert len(set(asked)) == 6
        assert [record.work_us for record in sending.records] == [
            round(float(seconds) * 1e6) for seconds in asked
        ]
        # Another process that starts it in the same way, and sends each second request of it.
        workload = sending.workload(**spec)
        workload.start(first=1, step=2)
        workload.over.wait()
        assert asked[6] == first[1]
        workload.start(first=0, step=2)
        workload.over.wait()
        assert (asked[9], asked[10]) == (second[0], second[2])


@pytest.mark.parametrize("parts", [1, 3])
def test_arrivals_of_a_file_have_its_times_its_paths_and_its_work(
    tmp_path: Path, parts: int
) -> None:
    asked: list[str] = []

    def handle(sock: Any, _: Any) -> None:
        asked.append(read_request(sock).split()[1].decode())
        sock.sendall(OK)

    rows = [(0.0, "/a", 0.5), (0.03, "/b", 0.25), (0.05, "/c", 2), (0.05, "/d", 0), (0.4, "/e", 1)]
    lines = "".join(f"{time},{path},{work}\n" for time, path, work in rows)
    (tmp_path / "t.csv").write_text("offset,path,work\n" + lines)
    share = {"arrivals": {"file": "t.csv"}, "request": "GET {path}?{work}", "duration": 0.1}
    spec = Traffic.of_share(share, ScenarioFiles(tmp_path))
    with Server(handle) as server, Sending(server.target) as sending:
        workloads = [sending.workload_of(spec) for _ in range(parts)]
        for first, workload in enumerate(workloads):
            workload.start(first=first, step=parts)
        for workload in workloads:
            workload.over.wait()
    assert sorted(asked) == [f"{path}?{work:.6f}" for _, path, work in rows[:4]]
    found = sorted(sending.records, key=lambda record: record.planned)
    assert sorted(record.work_us or 0 for record in found) == [0, 250_000, 500_000, 2_000_000]
    if parts == 1:
        began = found[0].planned
        assert [record.planned - began for record in found] == [0, 30 * MS, 50 * MS, 50 * MS]


def test_a_server_that_stalls_does_not_hold_back_arrivals() -> None:
    stalled = Event()

    def handle(sock: Any, _: Any) -> None:
        read_request(sock)
        if len(server.connections) == 10:
            stalled.set()
        stalled.wait()
        sock.sendall(OK)

    with Server(handle) as server, Sending(server.target) as sending:
        records = sending.play(rate=200, requests=10)
    assert len(records) == 10
    tenth = max(r.planned for r in records)
    assert all(r.end >= tenth for r in records)
    assert max(r.end - r.planned for r in records) >= 45 * MS


def test_what_an_arrival_waits_in_the_generator_counts_as_latency(target: Target) -> None:
    """Coordinated omission: the generator itself stands still for a while."""
    with Sending(target) as sending:
        workload = sending.workload(rate=200, requests=40)
        workload.start()
        time.sleep(0.1)
        workload.over.wait()
        records = sorted(sending.records)
    assert [r.planned - records[0].planned for r in records] == [n * 5 * MS for n in range(40)]
    late = [r for r in records if r.start - r.planned > 50 * MS]
    assert len(late) >= 10
    assert all(r.end - r.planned > 50 * MS for r in late)


def test_arrivals_keep_their_connections_for_the_next(target: Target) -> None:
    with Sending(target) as sending:
        records = sending.play(rate=200, requests=10, connection="keep-alive")
    assert [r.error for r in records] == [None] * 10
    assert len({r.port for r in records}) == sum(not r.reused for r in records)


def test_arrivals_end_with_a_stop(target: Target) -> None:
    with Sending(target) as sending:
        workload = sending.workload(rate=1000)
        workload.start()
        until(lambda: workload.requests >= 5)
        workload.stop()
        sent = workload.sent
        workload.over.wait()
        assert workload.sent == workload.requests == len(sending.records) == sent
