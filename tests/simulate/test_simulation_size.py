"""What would take too much is refused before it begins, and an end is not waited for."""

from pathlib import Path

import pytest

from ipvsload.errors import UsageError
from ipvsload.experiment.session import StoppedError
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.scaled import ScaledBy, scaled
from ipvsload.simulate.model_samples import ModelSamples
from ipvsload.simulate.model_testbed import ModelTestbed
from ipvsload.simulate.play_model import model_testbed
from ipvsload.simulate.play_summary import play_summary
from ipvsload.simulate.simulation_size import refuse_too_large, refuse_too_long_a_record
from ipvsload.testbed.base import ServiceSpec
from tests.simulate.played import played

TEXT = """
name: sized
schedulers: [rr, lc]
service: {servers: 10}
traffic:
  open: {rate: 50, duration: 20s}
  bounded: {rate: 100, requests: 300}
  users: {users: 1, duration: 2s}
timeline:
  - {start: [open, bounded, users], until: done}
"""


def sized(servers: int | None = None, directors: int | None = None) -> Scenario:
    return scaled(parse_scenario(TEXT, "sized"), ScaledBy(servers, directors))


def test_servers_times_directors_are_bounded_also_without_a_record() -> None:
    refuse_too_large(sized(1_000, 100), summary=False)
    with pytest.raises(UsageError, match=r"1010 servers .* 101,000 entries.* or --summary"):
        refuse_too_large(sized(1_010, 100), summary=False)
    refuse_too_large(sized(1_010, 100), summary=True)
    with pytest.raises(UsageError, match="5,010,000 entries, and 5,000,000 is the most: take"):
        refuse_too_large(sized(5_010, 1_000), summary=True)


def test_a_long_record_is_told_and_a_longer_one_refused() -> None:
    def asked(servers: int) -> str | None:
        scenario = sized(servers)
        return refuse_too_long_a_record(scenario, scenario.schedulers, 1)

    assert asked(10) is None
    # 1,000 and 300 of ten servers; what users send nobody knows before.
    assert "2 runs with 520,000 requests" in (asked(2_000) or "")
    with pytest.raises(UsageError, match=r"26,000,000 requests.* GB is the most.*--summary"):
        asked(100_000)


def test_set_up_and_samples_end_where_somebody_interrupts_them() -> None:
    scenario = sized(10, 3)
    testbed = model_testbed(scenario)
    testbed.begin(ServiceSpec("rr", (1,) * 10))
    told: list[object] = []
    testbed.time.put(None)
    testbed.time.put(StoppedError())
    ModelSamples(testbed, 2.0).follow(1, testbed.key, told.append)
    assert told == []
    with pytest.raises(StoppedError):
        testbed.begin(ServiceSpec("rr", (1,) * 10))
    assert testbed.time.get() is None


def test_an_interruption_comes_before_all_samples(tmp_path: Path) -> None:
    def interrupt(testbed: ModelTestbed) -> None:
        testbed.time.call(1_500_000_000, lambda _: testbed.time.put(StoppedError()))

    with pytest.raises(StoppedError):
        played(tmp_path / "run", TEXT, before=interrupt)
    assert '"interrupted"' in (tmp_path / "run" / "events.ndjson").read_text()


def test_an_interrupted_summary_has_the_runs_that_were_over() -> None:
    def interrupt(label: str, _connections: int, _seconds: float) -> None:
        if label == "lc":
            raise KeyboardInterrupt

    scenario = sized(20)
    scale = ScaledBy(servers=20).notes
    results = play_summary(scenario, scenario.schedulers, 1, interrupt, scale)
    assert [run.label for run in results.runs] == ["rr"]
    assert (results.verdict, results.exit_status) == ("invalid", 4)
    assert results.ends == ("interrupted in run 2 (lc), which is left out",)
    assert "simulated with --servers 20, not as the file says" in results.runs[0].notes
