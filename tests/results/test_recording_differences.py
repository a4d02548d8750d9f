"""What else differs between recordings, and what nobody knows."""

from dataclasses import replace

from ipvsload.record.recorded_machine import RecordedMachine
from ipvsload.results.comparison import ComparedRecording
from ipvsload.results.director import DirectorResult
from ipvsload.results.recording_differences import (
    changed_lines,
    differences,
    same_scenario,
)
from ipvsload.results.recording_pair import RecordedDifference
from ipvsload.results.results import RecordedBy, Results, RunResult, SchedulerSummary
from ipvsload.scenario.load import parse_scenario
from tests.skew_recording import SCENARIO

MACHINE = RecordedMachine("Processor 1", 2, 23.5, "6.1.0", {"python": "3.11.7", "locust": "2.47"})
KERNEL = {"release": "6.1.0", "provider": "uml", "lc_law": 256}
RUN = RunResult(
    1, "rr", "rr", 1, True, (), (), KERNEL, (), {}, (), {},
    director=DirectorResult(0, timeouts={"tcp": 900, "tcp_fin": 120}, sysctls={"conntrack": 0}),
)  # fmt: skip


def recorded(
    name: str, *runs: RunResult, text: str | None = SCENARIO, machine: RecordedMachine | None = None
) -> ComparedRecording:
    results = Results(
        *("skew", "", "lab", 0, "held", runs),
        schedulers=tuple(
            SchedulerSummary(label, label, 1, 1, (), {})
            for label in dict.fromkeys(run.label for run in runs)
        ),
        recorded_by=RecordedBy("0.1.0", machine),
    )
    scenario = None if text is None else parse_scenario(text, "skew.yaml")
    return ComparedRecording(name, results, text, scenario)


def told(*recordings: ComparedRecording) -> dict[str, tuple[str, ...]]:
    return {one.what: one.values for one in differences(recordings)}


def test_the_same_differs_in_nothing() -> None:
    one = recorded("one", RUN, machine=MACHINE)
    assert differences([one, replace(one, name="two")]) == []


def test_kernels_and_laws() -> None:
    other = replace(RUN, kernel={"release": "6.6.0", "provider": "qemu", "lc_law": 257})
    found = told(recorded("one", RUN), recorded("two", other), recorded("three", RUN))
    assert found == {
        "kernel": ("6.1.0 (uml)", "6.6.0 (qemu)", "6.1.0 (uml)"),
        "lc_law": ("256", "257", "256"),
    }


def test_each_setting_of_the_director_and_of_a_service() -> None:
    director = DirectorResult(
        60,
        timeouts={"tcp": 900, "tcp_fin": 3},
        sysctls={"conntrack": 1, "sync_qlen_max": 3877},
        of_service=("persistent 60 s",),
    )
    again = replace(RUN, number=2, repeat=2)
    found = told(recorded("one", RUN, again), recorded("two", replace(RUN, director=director), RUN))
    assert found == {
        "services": ("as by default", "rr persistent 60 s"),
        "fin timeout": ("120", "3 or 120"),
        "conntrack": ("0", "1 or 0"),
    }


def test_what_nobody_recorded_differs_from_nothing() -> None:
    blind = replace(RUN, director=DirectorResult(), kernel={"release": "6.1.0", "provider": "uml"})
    assert told(recorded("one", RUN), recorded("old", blind)) == {}


def test_the_machine_and_its_programs() -> None:
    other = RecordedMachine("Processor 2", 2, 7.7, "6.1.0", {"python": "3.12.1", "gevent": "25"})
    found = told(recorded("one", RUN, machine=MACHINE), recorded("two", RUN, machine=other))
    assert found == {
        "processor": ("Processor 1", "Processor 2"),
        "memory": ("23.5 GiB", "7.7 GiB"),
        "python": ("3.11.7", "3.12.1"),
    }
    found = told(recorded("one", RUN, machine=MACHINE), recorded("old", RUN))
    assert found == {"load made on": ("Processor 1, 2 cores, 23.5 GiB", "unknown")}


def test_columns_and_options_of_a_simulation() -> None:
    lc = replace(RUN, scheduler="lc", label="lc")
    scaled = replace(recorded("two", RUN), scaled="--seed 5")
    assert told(recorded("one", RUN, lc), scaled) == {
        "simulated with": ("what the file says", "--seed 5"),
        "columns": ("rr, lc", "rr"),
    }


def test_the_changed_lines_of_the_scenario() -> None:
    one = recorded("one", RUN)
    two = recorded("two", RUN, text=SCENARIO.replace("users: 5", "users: 6"))
    assert changed_lines(one, two) == [
        "--- one/scenario.yaml",
        "+++ two/scenario.yaml",
        "@@ -6,5 +6,5 @@",
        " traffic:",
        "   long: {request: GET /delay/4, users: 10, requests: 10}",
        "-  short: {request: GET /ip, users: 5, requests: 100, think: 50ms}",
        "+  short: {request: GET /ip, users: 6, requests: 100, think: 50ms}",
        " timeline:",
        "   - start: long",
    ]
    assert not same_scenario(one, two)
    layout = recorded("two", RUN, text=f"# mine\n{SCENARIO}")
    assert same_scenario(one, layout)
    assert changed_lines(one, layout) == []
    assert changed_lines(one, recorded("lost", RUN, text=None)) == []


def test_scenarios_of_other_names_have_no_changed_lines() -> None:
    one = recorded("one", RUN)
    two = recorded("two", RUN, text=SCENARIO.replace("name: skew", "name: other"))
    two = replace(two, results=replace(two.results, scenario="other"))
    assert differences([one, two]) == [RecordedDifference("scenario", ("skew", "other"))]
    assert changed_lines(one, two) == []
