"""The share of new connections beside the share of weight, also where weights change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.format import NO_SERVER
from ipvsload.record.request_table import RequestTable
from ipvsload.results.weight_course import WeightCourse
from ipvsload.results.weight_shares import WeightShares
from tests.results.tables import A, B, C, readings, request

COURSE = WeightCourse(readings((0, {A: (1, 0), B: (1, 0)}), (1000, {A: (3, 0), B: (1, 0)})))


def test_the_fair_share_is_that_of_the_weights_at_each_connection() -> None:
    before = [request(A, 10), request(B, 20)]
    after = [request(A, t) for t in (2000, 2010, 2020)] + [request(B, 2030)]
    shares = WeightShares(RequestTable.of(1, before + after), COURSE)
    assert shares.share(None, A) == 4 / 6
    assert shares.fair_share(None, A) == pytest.approx((2 * 0.5 + 4 * 0.75) / 6)
    assert shares.departure(None, None) == pytest.approx(0)


def test_the_greatest_departure_of_a_class() -> None:
    found = [request(A, 10, traffic="long"), request(B, 20), request(B, 30)]
    shares = WeightShares(RequestTable.of(1, found), COURSE)
    assert shares.departure("long", None) == pytest.approx(0.5)
    assert shares.departure("short", A) == pytest.approx(0.5)
    assert shares.departure(None, B) == pytest.approx(2 / 3 - 0.5)
    assert shares.departure("none such", None) is None


def test_only_new_connections_that_have_a_server_count() -> None:
    found = [
        request(A, 10), request(B, 20), request(B, 30, reused=True),
        request(NO_SERVER, 40, error="refused"),
        request(None, 50, error="no port")._replace(port=0),
    ]  # fmt: skip
    assert WeightShares(RequestTable.of(1, found), COURSE).departure(None, None) == pytest.approx(0)


def test_what_is_not_known_is_none() -> None:
    unknown = WeightShares(RequestTable.of(1, [request(A, 10), request(None, 20)]), COURSE)
    assert unknown.departure("short", A) is None
    assert unknown.departure(None, None) is None
    assert (
        WeightShares(RequestTable.of(1, [request(A, 10)]), WeightCourse([])).departure(None, None)
        is None
    )


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(0, 5000)), min_size=1),
    st.lists(st.tuples(*[st.integers(0, 9)] * 3).filter(any), min_size=1, max_size=5),
)
def test_shares_add_to_one(
    sent: list[tuple[str, int]], weights: list[tuple[int, int, int]]
) -> None:
    tables = ({A: (a, 0), B: (b, 0), C: (c, 0)} for a, b, c in weights)
    course = WeightCourse(readings(*((t * 1000, table) for t, table in enumerate(tables))))
    shares = WeightShares(RequestTable.of(1, [request(server, t) for server, t in sent]), course)
    for of in (shares.share, shares.fair_share):
        assert sum(of(None, server) or 0 for server in (A, B, C)) == pytest.approx(1)
    departure = shares.departure(None, None)
    assert departure is not None
    assert 0 <= departure <= 1
