"""The simulated load is the real one: the same arrivals, users, work and ports by the same seed."""

from pathlib import Path

from ipvsload.load.pacing import due_times
from ipvsload.load.random_numbers import RandomNumbers
from ipvsload.record.events import ClassStarted
from ipvsload.record.reader import read
from ipvsload.record.writer import RunWriter
from ipvsload.scenario.load import load, parse_scenario
from ipvsload.simulate.play_model import model_testbed, play_model
from ipvsload.testbed.lab.source_ports import SourcePorts
from ipvsload.testbed.lab.topology import Topology
from tests.simulate.played import played

DRAWN = """
name: drawn
seed: 42
schedulers: [rr, lc]
service: {servers: 2, clients: 3}
traffic:
  work:
    request: GET /delay/{work}
    work: exponential 20ms
    rate: 100
    arrivals: poisson
    duration: 2s
timeline: [{start: work, until: done}]
"""


def test_arrivals_work_and_ports_are_those_of_the_real_load(tmp_path: Path) -> None:
    recording, _ = played(tmp_path / "run", DRAWN, repeats=2)
    spec = parse_scenario(DRAWN, "drawn").traffic["work"]
    ports = SourcePorts(["192.0.2.101", "192.0.2.102", "192.0.2.103"], Topology(2, 3, seed=42))
    of_repeat: dict[int, list[tuple[str, int]]] = {}
    for run in recording.runs:
        key = f"42/{run.repeat}", "work", 1
        requests = sorted(run.requests, key=lambda one: one.planned_us)
        (began,) = run.of_type(ClassStarted)
        due = [began.t_us + ns // 1000 for ns in due_times(spec, *key)]
        assert [one.planned_us for one in requests] == due
        draws = RandomNumbers(*key, "work")
        assert spec.work is not None
        work = [round(spec.work.quantile(draws.at(n)) * 1e6) for n in range(len(requests))]
        assert [one.work_us for one in requests] == work
        # Servers without a capacity need their work, and the way there and back.
        assert all(abs(one.latency_us - one.work_us - 200) <= 1 for one in requests if one.work_us)
        ports.begin_run(run.repeat)
        taken = [ports.take() for _ in requests]
        sources = [(one.client, one.port) for one in requests]
        assert [client for client, _ in sources] == [client for client, _ in taken]
        if run.number == 1:
            assert sources == taken
        # Nobody remembers a model's ports: they are the same in all runs of a repeat.
        assert sources == of_repeat.setdefault(run.repeat, sources)
    assert not set(of_repeat[1]) & set(of_repeat[2])


def test_arrivals_out_of_a_file_are_sent_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("offset,path\n0,/ip\n0.25,/delay/0.5\n2,/nowhere\n")
    path = tmp_path / "traced.yaml"
    path.write_text(
        "name: traced\nschedulers: [rr]\n"
        "traffic: {log: {request: 'GET {path}', arrivals: {file: trace.csv}}}\n"
        "timeline: [{start: log, until: done}]\n"
    )
    scenario = load(path)
    writer = RunWriter(
        tmp_path / "run", scenario_text=path.read_text(), scenario="traced", testbed="model",
        origin_unix_us=0,
    )  # fmt: skip
    play_model(scenario, model_testbed(scenario), writer, scenario.schedulers, 1)
    (run,) = read(tmp_path / "run").runs
    (began,) = run.of_type(ClassStarted)
    seen = [
        (one.planned_us - began.t_us, one.latency_us, one.status)
        for one in sorted(run.requests, key=lambda one: one.planned_us)
    ]
    assert seen == [(0, 200, 200), (250_000, 500_200, 200), (2_000_000, 200, 404)]
