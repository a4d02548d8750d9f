"""The timeline without a clock or a kernel: steps follow events."""

from dataclasses import dataclass

from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.timeline import Begin, Done, Missed, Over, Timeline, Turn
from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.format import Sample
from ipvsload.scenario.expression import parse
from ipvsload.scenario.model import Step

A, B = "198.51.100.11:80", "198.51.100.12:80"
S = 1_000_000


@dataclass
class Counts:
    requests: int = 0
    failures: int = 0
    inflight: int = 0
    users: int = 0
    done: bool = False
    started: bool = False


def sample(t_us: int, **active: int) -> Sample:
    """A table in which server a (and b) have so many active connections."""
    addresses = {"a": A, "b": B}
    servers = tuple(
        RealServer(addresses[name], 1, count, 0, 0, 0, 0, 0, 0, 0) for name, count in active.items()
    )
    return Sample(
        1, "director", t_us, 100, (VirtualService("tcp x", "lc", 0, 0, 0, 0, 0, 0, 0, servers),)
    )


def view_with_one_server(**classes: Counts) -> RunState:
    state = RunState(classes)
    state.joined(A)
    return state


def test_steps_without_waits_follow_at_once() -> None:
    timeline = Timeline([Step(scale=2), Step(kill=1)])
    state = view_with_one_server()
    turns: list[Turn | None] = [timeline.ask(state, 5) for _ in range(5)]
    kinds = [type(turn) for turn in turns]
    assert kinds == [Begin, Done, Begin, Done, Over]


def test_a_wait_is_over_when_a_sample_says_so() -> None:
    timeline = Timeline([Step(scale=1, until=parse("active{server=1} == 10"))])
    state = view_with_one_server()
    assert isinstance(timeline.ask(state, 0), Begin)
    assert timeline.ask(state, 1) is None
    state.sampled(sample(2 * S, a=7))
    assert timeline.ask(state, 2 * S) is None
    state.sampled(sample(3 * S, a=10))
    assert timeline.ask(state, 3 * S) == Done(0, "active{server=1} = 10", 3 * S)


def test_a_sample_from_before_the_step_proves_nothing() -> None:
    timeline = Timeline([Step(wait=1.0), Step(wait=parse("active{server=1} == 0"))])
    state = view_with_one_server()
    timeline.ask(state, 0)
    state.sampled(sample(S // 2, a=0))
    assert isinstance(timeline.ask(state, S), Done)
    assert isinstance(timeline.ask(state, S), Begin)
    assert timeline.ask(state, S) is None
    state.sampled(sample(S + 20, a=0))  # its reading, 100 µs long, began too early
    assert timeline.ask(state, S + 80) is None
    state.sampled(sample(S + 60, a=0))
    assert isinstance(timeline.ask(state, S + 120), Done)


def test_a_missed_deadline_says_what_was_awaited_and_seen() -> None:
    timeline = Timeline([Step(scale=2, until=parse("servers == 2"), within=5.0)])
    state = view_with_one_server()
    timeline.ask(state, 0)
    state.sampled(sample(4 * S, a=0))
    assert timeline.ask(state, 5 * S - 1) is None
    missed = timeline.ask(state, 5 * S)
    assert missed == Missed(
        0, "step 1 (scale to 2) waited 5 s for servers == 2; last seen: servers = 1"
    )


def test_a_missed_deadline_without_any_sample_says_so() -> None:
    timeline = Timeline([Step(scale=2, until=parse("servers == 2"), within=5.0)])
    state = view_with_one_server()
    timeline.ask(state, 0)
    missed = timeline.ask(state, 6 * S)
    assert isinstance(missed, Missed)
    assert missed.message.endswith("last seen: servers not seen yet")


def test_a_plain_duration_is_looked_at_when_it_ends() -> None:
    timeline = Timeline([Step(wait=2.0)])
    state = view_with_one_server()
    timeline.ask(state, S)
    assert timeline.look_again_us(S) == 3 * S
    assert timeline.ask(state, 3 * S - 1) is None
    assert timeline.ask(state, 3 * S) == Done(0, "", 2 * S)


def test_a_duration_that_is_no_whole_binary_fraction_ends_when_it_is_looked_at() -> None:
    timeline = Timeline([Step(wait="700ms")])  # 0.7000000000000001 s
    state = view_with_one_server()
    timeline.ask(state, 0)
    at = timeline.look_again_us(0)
    assert at == 700_000
    assert timeline.ask(state, at) == Done(0, "", at)


def test_waits_on_the_kernel_are_woken_by_samples_and_their_deadline() -> None:
    timeline = Timeline([Step(wait=parse("active == 0"), within=7.0)])
    timeline.ask(view_with_one_server(), S)
    assert timeline.look_again_us(2 * S) == 8 * S


def test_waits_on_the_load_are_looked_at_often() -> None:
    short = Counts(started=True)
    state = view_with_one_server(short=short)
    timeline = Timeline([Step(wait=parse("requests{class=short} >= 3"))])
    timeline.ask(state, 0)
    assert timeline.ask(state, 1) is None
    again = timeline.look_again_us(1)
    assert again is not None
    assert again < S // 10
    short.requests = 3
    assert isinstance(timeline.ask(state, again), Done)


def test_done_without_a_class_is_about_those_that_were_started() -> None:
    long, short = Counts(started=True), Counts()
    state = view_with_one_server(long=long, short=short)
    timeline = Timeline([Step(wait=parse("done"))])
    timeline.ask(state, 0)
    assert timeline.ask(state, 1) is None
    long.done = True
    assert isinstance(timeline.ask(state, 2), Done)


def test_a_server_that_left_the_table_has_nothing_active() -> None:
    state = view_with_one_server()
    state.joined(B)
    state.sampled(sample(S, b=4))
    lookup = state.lookup(S, 0)
    assert parse("active{server=1} == 0").evaluate(lookup).held
    assert parse("active == 4").evaluate(lookup).held
    assert parse("weight{server=1} == 1").evaluate(lookup).held is None


def test_numbers_of_servers_are_never_used_again() -> None:
    state = view_with_one_server()
    assert state.joined(B) == 2
    state.left(2)
    assert list(state.present) == [1]
    assert state.joined("198.51.100.13:80") == 3
    assert list(state.present) == [1, 3]


def test_a_wait_counts_from_when_the_action_was_carried_out() -> None:
    timeline = Timeline([Step(scale=1, until=parse("servers == 1"), within=5.0)])
    state = view_with_one_server()
    assert isinstance(timeline.ask(state, 0), Begin)
    state.sampled(sample(S, a=0))
    timeline.begun(2 * S)
    assert timeline.ask(state, 2 * S) is None
    assert timeline.look_again_us(2 * S) == 7 * S
    state.sampled(sample(3 * S, a=0))
    assert timeline.ask(state, 3 * S) == Done(0, "servers = 1", S)


def test_a_clock_that_may_be_off_makes_samples_older() -> None:
    timeline = Timeline([Step(wait=parse("servers == 1"))])
    state = view_with_one_server()
    state.uncertainty_us = 500
    timeline.ask(state, S)
    state.sampled(sample(S + 400, a=0))
    assert timeline.ask(state, S + 450) is None
    state.sampled(sample(S + 600, a=0))
    assert isinstance(timeline.ask(state, S + 700), Done)


def test_a_wait_that_misses_its_deadline_says_the_extremes_that_it_saw() -> None:
    condition = parse("active{server=1} == 10 and servers == 1")
    timeline = Timeline([Step(scale=1, until=condition, within=5.0)])
    state = view_with_one_server()
    timeline.ask(state, 0)
    for second, active in ((1, 7), (2, 9), (3, 2), (4, 3)):
        state.sampled(sample(second * S, a=active))
        assert timeline.ask(state, second * S) is None
    missed = timeline.ask(state, 5 * S)
    assert isinstance(missed, Missed)
    assert missed.message.endswith(
        "; last seen: active{server=1} = 3, servers = 1; meanwhile active{server=1} was 2 to 9"
    )


def test_extremes_are_those_of_one_step() -> None:
    wait = Step(scale=1, until=parse("active{server=1} == 2"), within=5.0)
    timeline = Timeline([wait, wait.model_copy(update={"until": parse("active{server=1} == 9")})])
    state = view_with_one_server()
    timeline.ask(state, 0)
    for second, active in ((1, 8), (2, 2)):
        state.sampled(sample(second * S, a=active))
        done = timeline.ask(state, second * S)
    assert isinstance(done, Done)
    timeline.ask(state, 3 * S)
    state.sampled(sample(4 * S, a=4))
    missed = timeline.ask(state, 8 * S)
    assert isinstance(missed, Missed)
    assert missed.message.endswith("last seen: active{server=1} = 4")
