"""Whether an open run can be believed: sound generators are, and broken ones are not.

The plans are those of the real pacer. What a generator makes of them is arithmetic here;
tests/load/test_broken_generators.py has real ones.
"""

import random
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest

from ipvsload.load.pacing import due_times
from ipvsload.record.events import ClassStarted
from ipvsload.record.reader import read
from ipvsload.results.arrivals import arrivals_results
from ipvsload.results.evaluate import evaluate
from ipvsload.scenario.load import parse_scenario
from tests.open_run import BEGAN_US, judged, open_run, open_scenario
from tests.request_edits import edited
from tests.skew_recording import SCENARIO, write_skew

Generator = Callable[[list[int]], list[int]]
"""When requests are sent that are due at these times, in µs."""
POISSON = "rate: 200, arrivals: poisson, duration: 30s"
EVEN = "rate: 200, duration: 30s"
RAMP = (
    "rate: [{from: 20, to: 400, over: 10s}, {from: 400, to: 400, over: 5s},"
    " {from: 400, to: 0, over: 10s}]"
)


def plan(traffic: str, key: str = "a plan") -> list[int]:
    return [due // 1000 for due in due_times(open_scenario(traffic).traffic["short"], key)]


def sound(due: list[int]) -> list[int]:
    noise = random.Random(1)
    return [at + 50 + round(noise.expovariate(1 / 150)) for at in due]


def stopped(due: list[int]) -> list[int]:
    return [max(at, 10_300_000) if at > 10_000_000 else at for at in due]


def slowed(due: list[int]) -> list[int]:
    """Each request takes it 5.2 ms of its own time, and 5 ms there are."""
    return list(accumulate(due, lambda free, at: max(free + 5_200, at)))


def in_bursts(due: list[int]) -> list[int]:
    return [-(-at // 100_000) * 100_000 for at in due]


def sent(traffic: str, due: list[int], generator: Generator) -> list[tuple[int, int, int]]:
    starts = sorted(generator(due))
    return [(at, start, start + 10_000) for at, start in zip(due, starts, strict=True)]


@pytest.mark.parametrize("arrivals", ["even", "poisson"])
def test_a_rate_that_changes_is_believed_and_others_are_not(arrivals: str) -> None:
    ramp = f"{RAMP}, arrivals: {arrivals}"
    found = judged(ramp, sent(ramp, plan(ramp), sound))
    assert found.faults == ()
    assert len(found.tests) == {"even": 2, "poisson": 4}[arrivals]
    assert found.asked_rate == pytest.approx(found.planned_rate, rel=0.05)
    # The same number of arrivals in the same time, but at one rate all the time.
    level = f"rate: {found.asked_rate}, duration: 25s, arrivals: {arrivals}"
    other = judged(ramp, sent(ramp, plan(level), sound))
    assert any("dispersion of counts" in fault for fault in other.faults)


@pytest.mark.parametrize("traffic", [EVEN, POISSON])
def test_a_sound_generator_is_believed(traffic: str) -> None:
    found = judged(traffic, sent(traffic, plan(traffic), sound))
    assert found.faults == ()
    assert found.verdict == "believed"
    assert all(test.passed for test in found.tests)
    assert found.achieved_rate == pytest.approx(found.planned_rate, rel=1e-3)
    assert found.asked_rate == pytest.approx(200, rel=1e-3)
    assert found.notes == ()


def test_hundreds_of_sound_plans_are_all_believed() -> None:
    short = "rate: 50, arrivals: poisson, duration: 4s"
    for key in range(100):
        due = plan(short, f"plan {key}")
        assert judged(short, sent(short, due, sound)).faults == (), key


@pytest.mark.parametrize("traffic", [EVEN, POISSON])
@pytest.mark.parametrize(
    ("generator", "says"),
    [
        (stopped, "short: the generator stood still: a request was sent 2"),
        (slowed, "short: the generator was slow: 19"),
        (slowed, "short: the generator was late: p99 of lateness is "),
        (in_bursts, "short: the generator was late: p99 of lateness is 9"),
    ],
)
def test_a_broken_generator_is_not_believed(traffic: str, generator: Generator, says: str) -> None:
    found = judged(traffic, sent(traffic, plan(traffic), generator))
    assert found.verdict == "not believed"
    assert any(fault.startswith(says) for fault in found.faults), found.faults


def test_whole_microseconds_are_no_deviation() -> None:
    fast = "rate: 20000, arrivals: poisson, duration: 2s"
    found = judged(fast, sent(fast, plan(fast, "another"), sound))
    assert all(test.p is None or test.p > 0.001 for test in found.tests)


def doubled(due: list[int]) -> list[int]:
    return [at // 2 for at in due]


def even(due: list[int]) -> list[int]:
    return [i * 5_000 for i in range(len(due))]


@pytest.mark.parametrize(
    ("traffic", "pacer", "says"),
    [
        (POISSON, in_bursts, "short: the arrivals are not poisson, as was asked for: gaps 0."),
        (POISSON, in_bursts, "short: the arrivals are not poisson, as was asked for: dispersion"),
        (EVEN, in_bursts, "short: the arrivals are not even, as was asked for: dispersion"),
        (POISSON, even, "short: the arrivals are not poisson, as was asked for: gaps 0."),
        (POISSON, doubled, "short: the arrivals are not poisson, as was asked for: rate 2.0"),
        (EVEN, doubled, "short: the arrivals are not even, as was asked for: rate 2.0"),
    ],
)
def test_a_broken_plan_is_not_believed_though_it_is_kept(
    traffic: str, pacer: Generator, says: str
) -> None:
    found = judged(traffic, sent(traffic, pacer(plan(traffic)), sound))
    assert found.lateness_ms["max"] < 10
    assert found.verdict == "not believed"
    assert any(fault.startswith(says) for fault in found.faults), found.faults


def test_small_bursts_are_seen_though_none_is_late() -> None:
    """What is due in 8 ms is sent at once: at 500/s that is four requests."""

    def in_small_bursts(due: list[int]) -> list[int]:
        return [-(-at // 8_000) * 8_000 for at in due]

    traffic = POISSON.replace("200", "500")
    found = judged(traffic, sent(traffic, plan(traffic), in_small_bursts))
    assert found.faults[0].startswith(
        "short: the arrivals are not poisson, as was asked for: gaps as sent 0."
    )
    assert len(found.faults) == 1


def test_random_arrivals_are_not_even() -> None:
    found = judged(EVEN, sent(EVEN, plan(POISSON), sound))
    assert found.verdict == "not believed"


def test_a_slow_answer_may_be_sent_later() -> None:
    """A tenth of the time to an answer: of 10 s, a generator that stood still for 300 ms."""
    times = [(at, start, start + 10_000_000) for at, start, _ in sent(EVEN, plan(EVEN), stopped)]
    found = judged(EVEN, times)
    assert found.late_limits_ms == {"p99": 1000, "max": 1000}
    assert found.faults == ()


def test_of_few_arrivals_only_a_stop_is_seen() -> None:
    few = "rate: 20, requests: 60, arrivals: poisson"
    found = judged(few, sent(few, plan(few), sound))
    assert (found.verdict, found.tests, found.faults) == ("too few to tell", (), ())
    late = [(at, at + 250_000, at + 260_000) for at in plan(few)]
    assert judged(few, late).faults == (
        "short: the generator stood still: a request was sent 250 ms after it was due"
        " (limit 200 ms); free its machine, or lower the rate",
    )


def test_a_class_that_is_started_twice_has_two_plans() -> None:
    due = plan(POISSON)
    run = open_run(sent(POISSON, due, sound))
    again_us = 40_000_000
    again = open_run(sent(POISSON, plan(POISSON, "another"), sound))
    run.events.append(ClassStarted(1, BEGAN_US + again_us, "short"))
    with edited(run) as requests:
        requests += [
            r._replace(planned_us=r.planned_us + again_us, start_us=r.start_us + again_us)
            for r in again.requests
        ]
    found = arrivals_results(run, open_scenario(POISSON))["short"]
    assert found.faults == ()
    assert found.asked_rate == pytest.approx(200, rel=1e-3)


def test_what_a_kept_connection_did_not_take_or_was_never_sent_says_nothing() -> None:
    run = open_run(sent(EVEN, plan(EVEN), sound))
    with edited(run) as requests:
        first, last = requests[0], requests[-1]
        late = first.planned_us + 3_000_000
        requests[0] = first._replace(start_us=late, untaken="reset", idle_us=1, retried=1)
        late = last.planned_us + 3_000_000
        requests[-1] = last._replace(start_us=late, port=0, status=0, error="cut off")
    found = arrivals_results(run, open_scenario(EVEN))["short"]
    assert found.requests == len(run.requests) - 2
    assert found.faults == ()


def test_latencies_that_rise_are_a_note_and_no_fault() -> None:
    noise = random.Random(7)
    times = [
        (at, at + 100, at + 10_000 + 20 * i + noise.randrange(5_000))
        for i, at in enumerate(plan(POISSON))
    ]
    found = judged(POISSON, times)
    assert found.faults == ()
    assert found.steadiness is not None
    assert found.steadiness.trend == "rises"
    assert found.steadiness.effective < 200
    assert found.notes[0].startswith("short: its latencies rose over the run, from about 1")


def test_a_generator_that_stood_still_makes_its_run_invalid(tmp_path: Path) -> None:
    text = SCENARIO.replace("users: 5, requests: 100, think: 50ms", "rate: 57.143, requests: 100")
    recording = read(write_skew(tmp_path / "run"))
    sound_one = evaluate(recording, parse_scenario(text, "t.yaml"))
    assert (sound_one.verdict, sound_one.exit_status) == ("held", 0)
    run = recording.runs[0]
    with edited(run) as requests:
        for i, request in enumerate(requests):
            if request.traffic == "short" and 1_600_000 < request.planned_us < 1_900_000:
                requests[i] = request._replace(start_us=1_900_000)
    broken = evaluate(recording, parse_scenario(text, "t.yaml"))
    assert (broken.verdict, broken.exit_status) == ("invalid", 4)
    assert [run.verdict for run in broken.runs] == ["invalid", "held"]
    assert broken.runs[0].reasons[0].startswith("short: the generator stood still: ")
    arrivals = broken.runs[0].traffic["short"].arrivals
    assert arrivals is not None
    assert arrivals.verdict == "not believed"
    assert broken.to_json()["runs"][0]["traffic"]["long"]["arrivals"] is None
