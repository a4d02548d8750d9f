"""When users come and go whose number changes."""

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.load.user_pacing import user_changes
from ipvsload.scenario.stages import Stage, length
from tests.load.sending import OK, Sending, Server, answering, until

levels = st.integers(0, 60).map(float)
stage_lists = st.lists(
    st.builds(Stage, levels, levels, st.floats(0.01, 10)), min_size=1, max_size=5
)


@given(stage_lists, st.floats(0.001, 0.999))
def test_at_each_time_there_are_as_many_as_the_level_says(stages: list[Stage], part: float) -> None:
    changes = list(user_changes(stages))
    assert all(one[0] <= other[0] for one, other in pairwise(changes))
    assert all(0 <= time <= length(stages) * 1e9 + 1 for time, _ in changes)
    assert min(accumulate(change for _, change in changes), default=0) >= 0
    for stage, began in zip(stages, accumulate((s.over for s in stages), initial=0), strict=False):
        now = began + stage.over * part
        there = sum(change for time, change in changes if time < now * 1e9)
        assert abs(there - stage.level(stage.over * part)) <= 0.5 + 1e-3
    assert sum(change for _, change in changes) == stages[-1].end


@given(stage_lists, st.integers(1, 8))
def test_parts_of_a_plan_are_the_plan(stages: list[Stage], workers: int) -> None:
    parts = [list(user_changes(stages, first, workers)) for first in range(workers)]
    assert sorted(one for part in parts for one in part) == sorted(user_changes(stages))
    sums = [sum(change for _, change in part) for part in parts]
    assert max(sums) - min(sums) <= 1


def test_a_ramp_up_and_down() -> None:
    changes = user_changes([Stage(1, 3, 4), Stage(3, 1, 4)])
    seconds = [(time / 1e9, change) for time, change in changes]
    assert seconds == [(0, 1), (1, 1), (3, 1), (5, -1), (7, -1)]


def test_users_come_and_go_and_each_request_is_counted() -> None:
    with Server(answering(OK)) as server, Sending(server.target) as sending:
        users = [{"from": 1, "to": 20, "over": 0.1}, {"from": 20, "to": 2, "over": 0.1}, 2]
        workload = sending.workload(users=users, think=0.001, connection="keep-alive")
        workload.start()
        until(lambda: workload.users == 20)
        until(lambda: workload.users == 2)
        workload.stop()
        workload.over.wait()
        assert workload.users == 0
        assert len({record.port for record in sending.records}) == 20
        # A user that goes gets its answer first.
        assert {record.error for record in sending.records} == {None}


def test_stages_end_the_class() -> None:
    with Server(answering(OK)) as server, Sending(server.target) as sending:
        users = {"from": 1, "to": 5, "over": 0.1}
        assert len(sending.play(users=users, think=0.01)) >= 5
        assert sending.done == ["it"]
