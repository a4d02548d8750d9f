"""Requests that failed since their server left."""

import math

import pytest

from ipvsload.record.events import ServerCondition
from ipvsload.record.request_table import RequestTable
from ipvsload.results.removal_losses import absences, lost_requests
from ipvsload.results.weight_course import WeightCourse
from tests.results.tables import A, B, Rows, readings, request

BOTH, ALONE, DRAINED = {A: (1, 0), B: (1, 0)}, {B: (1, 0)}, {A: (0, 5), B: (1, 0)}


def course(*tables: Rows) -> WeightCourse:
    return WeightCourse(readings(*((t * 1000, table) for t, table in enumerate(tables))))


@pytest.mark.parametrize("gone", [ALONE, DRAINED])
def test_a_server_is_away_since_it_was_last_seen_with_weight(gone: Rows) -> None:
    assert absences(course(BOTH, BOTH, gone, gone), []) == {A: [(1000, math.inf)]}
    assert absences(course(BOTH, gone, BOTH), []) == {A: [(0, 2000)]}
    assert absences(course(gone, BOTH), []) == {}


def test_a_killed_server_is_away_until_it_is_there_again() -> None:
    words = ["speed 0.1", "speed 0.1, killed", ""]
    events = [ServerCondition(1, t * 10, B, 2, text) for t, text in enumerate(words, 1)]
    assert absences(course(BOTH), events) == {B: [(20, 30)]}
    assert absences(course(BOTH), events[:2]) == {B: [(20, math.inf)]}
    assert absences(course(BOTH), events[:1]) == {}


def test_what_failed_while_it_was_away_is_lost() -> None:
    away = {A: [(1000.0, 5000.0)]}
    lost = [
        request(A, 500, 600, error="reset"),  # under way when it left
        request(A, 2000, error="refused"),
        request(A, 4900, 9000, error="timeout", traffic="long"),
    ]
    kept = [
        request(A, 500, 400, error="reset"),  # before
        request(A, 6000, error="reset"),  # after
        request(A, 2000),  # answered
        request(B, 2000, error="reset"),  # by another
        request(None, 2000, error="reset"),
    ]
    assert lost_requests(RequestTable.of(1, lost + kept), away) == {("short", A): 2, ("long", A): 1}
