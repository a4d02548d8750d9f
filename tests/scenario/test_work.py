"""Work: how it is written, what is refused, and that it has the distribution it names."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.scenario.model import Traffic
from ipvsload.scenario.work import MOST_SECONDS, Work, read_work
from tests.scenario.test_scenario_transcript import GOOD, said

chances = st.floats(1e-15, 1 - 1e-15)


@pytest.mark.parametrize(
    ("text", "chance", "seconds"),
    [
        ("20ms", 0.9, 0.02),
        (0.02, 0.1, 0.02),
        ("exponential 20ms", 1 - math.exp(-1), 0.02),
        ("exponential 20ms", 0.5, 0.02 * math.log(2)),
        ("exponential  20ms ", 0.5, 0.02 * math.log(2)),
        ("lognormal 20ms 200ms", 0.5, 0.02),
        ("lognormal 20ms 200ms", 0.99, 0.2),
        ("lognormal 20ms 200ms", 0.01, 0.002),
        ("pareto 10ms 1.5", 0.5, 0.01 * 2 ** (2 / 3)),
        ("pareto 10ms 2", 0.99, 0.1),
        ("pareto 10ms 1.01", 1 - 1e-15, MOST_SECONDS),
        ("lognormal 1s 10s", 1 - 1e-9, MOST_SECONDS),
        ("exponential 10s", 0.99, MOST_SECONDS),
    ],
)
def test_a_part_of_all_requests_asks_for_no_more(
    text: object, chance: float, seconds: float
) -> None:
    assert read_work(text).quantile(chance) == pytest.approx(seconds)


times = st.floats(0.000_001, 1).map("{:.6f}s".format)
works = st.one_of(
    times,
    st.builds("exponential {}".format, times),
    st.builds("lognormal {0} {0}".format, times).map(lambda text: text[:-1] + "1s"),
    st.builds("pareto {} {}".format, times, st.floats(1.001, 50)),
)


@given(works, chances, chances)
def test_it_grows_with_the_chance_and_has_its_limits(text: str, one: float, other: float) -> None:
    work = read_work(text)
    low, high = work.quantile(min(one, other)), work.quantile(max(one, other))
    assert 0 < low <= high <= MOST_SECONDS


@given(works)
def test_what_a_worker_is_sent_is_the_same_work(text: str) -> None:
    spec = Traffic(users=1, request="GET /delay/{work}", work=text)  # type: ignore[arg-type]
    again = Traffic(**spec.model_dump(exclude_unset=True))
    assert again.work == spec.work
    assert isinstance(again.work, Work)


LONG = "long: {users: 10, requests: 10, request: GET /delay/10}"
WITH = "long: {{users: 10, requests: 10, request: 'GET /delay/{{work}}', work: {}}}"


@pytest.mark.parametrize(
    ("work", "message"),
    [
        ("0s", "5:71: 'work': must be more than 0 and at most 10 s, found the text '0s'"),
        ("-1", "5:71: 'work': a time must be between 0 and 24h, found -1"),
        ("11s", "5:71: 'work': must be more than 0 and at most 10 s, found the text '11s'"),
        ("quick", "5:71: unknown distribution 'quick'; the distributions are exponential, "
         "lognormal and pareto"),
        ("expnential 20ms", "5:71: unknown distribution 'expnential'; did you mean 'exponential'?"),
        ("exponential", "5:71: expected exponential 20ms (its mean)"),
        ("exponential 0s", "5:83: must be more than 0 and at most 10 s, found '0s'"),
        ("lognormal 20ms", "5:71: expected lognormal 20ms 200ms (its median and 99th percentile)"),
        ("lognormal 20ms 20ms",
         "5:86: the 99th percentile must be more than the median before it"),
        ("pareto 10ms 1", "5:83: with a shape of 1 or less it has no mean, and no server has "
         "capacity for it; give a shape of more than 1"),
        ("pareto 10ms x", "5:83: expected the shape, a number, found 'x'"),
        ("pareto 1.5 10ms", "5:78: expected a time such as 20ms, found '1.5'"),
        ("true", "5:71: 'work': expected a time such as 20ms, or a distribution: "
         "exponential 20ms, found true"),
    ],
)  # fmt: skip
def test_what_is_refused(work: str, message: str) -> None:
    assert said(GOOD.replace(LONG, WITH.format(work))) == [f"t.yaml:{message}"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("users: 1, requests: 1, request: 'GET /delay/{work}'",
         "5:33: {work} needs 'work', such as 'work: exponential 20ms'"),
        ("users: 1, requests: 1, work: 20ms",
         "5:33: 'work' needs its place in the request, as in 'request: GET /delay/{work}'"),
        ("users: 1, requests: 1, arrivals: poisson",
         "5:33: 'arrivals' are those of a rate, and this class has users"),
        ("rate: 1, requests: 1, arrivals: posson",
         "5:42: 'arrivals': expected even, poisson or file: NAME, found the text 'posson'; "
         "did you mean 'poisson'?"),
    ],
)  # fmt: skip
def test_keys_that_need_each_other(keys: str, message: str) -> None:
    assert said(GOOD.replace(LONG, f"long: {{{keys}}}")) == [f"t.yaml:{message}"]
