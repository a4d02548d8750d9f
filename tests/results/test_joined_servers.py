"""When a server that came is used, and when it carries its share."""

import pytest

from ipvsload.ipvs.table import RealServer
from ipvsload.record.events import ServerCondition
from ipvsload.record.request_table import RequestTable
from ipvsload.results.change_delays import ChangeResult
from ipvsload.results.joined_servers import NEVER, TOO_FEW, JoinedServer, joined_servers
from ipvsload.results.weight_course import WeightCourse
from tests.results.tables import A, B, readings, request

SECOND = 1_000_000
SPAN = (0, 20 * SECOND)
SCALED = ChangeResult(1, "scale to 2", 4.9, (2,), 0.1, 0.0)


def course(*active: tuple[float, int, int | None]) -> list[tuple[int, dict[str, RealServer]]]:
    """Ten samples a second: since when A and B have so many; None before B has joined."""
    found = []
    for tick in range(200):
        _, a, b = [one for one in active if one[0] <= tick / 10][-1]
        table = {A: (1, a)} if b is None else {A: (1, a), B: (1, b)}
        found.append((tick * 100_000, table))
    return readings(*found)


def came(
    table: list[tuple[int, dict[str, RealServer]]], *conditions: ServerCondition
) -> tuple[JoinedServer, ...]:
    changes = [] if conditions else [SCALED]
    sent = RequestTable.of(1, (request(B, t) for t in (round(5.5 * SECOND), 6 * SECOND)))
    return joined_servers(table, WeightCourse(table), conditions, changes, sent, [A, B], 0, SPAN)


def test_from_the_change_to_the_first_second_that_is_in_balance() -> None:
    (found,) = came(course((0, 20, None), (5, 20, 0), (8, 10, 10)))
    assert found.number == 2
    assert found.at_s == pytest.approx(4.9)
    assert found.first_request_s == pytest.approx(0.6)
    # From 7.8 s on each second's mean is 8 and more of 10; from 7.7 s it is 7, more than a quarter
    # less.
    assert found.balance_s == pytest.approx(7.8 - 4.9)
    assert found.why == ""


def test_what_does_not_stay_is_no_balance() -> None:
    (found,) = came(course((0, 20, None), (5, 10, 10), (18, 20, 0)))
    assert (found.balance_s, found.why) == (None, NEVER)
    # For the last second and a half: that may be chance.
    (found,) = came(course((0, 20, None), (5, 20, 0), (18.5, 10, 10)))
    assert (found.balance_s, found.why) == (None, NEVER)
    (found,) = came(course((0, 20, None), (5, 10, 10), (10, 20, 0), (14, 10, 10)))
    assert found.balance_s == pytest.approx(13.9 - 4.9, abs=0.11)


def test_where_little_is_active_nobody_can_say() -> None:
    (found,) = came(course((0, 2, None), (5, 1, 1)))
    assert (found.balance_s, found.why) == (None, TOO_FEW)
    # What goes on at the end and what is not active says nothing against a balance.
    (found,) = came(course((0, 20, None), (5, 10, 10), (12, 1, 0)))
    assert found.balance_s == pytest.approx(0.1)


def test_a_server_that_is_well_again() -> None:
    events = [
        ServerCondition(1, 3 * SECOND, B, 2, "vanished"),
        ServerCondition(1, 5 * SECOND, B, 2, ""),
    ]
    (found,) = came(course((0, 20, 0), (6, 10, 10)), *events)
    assert found.at_s == pytest.approx(5)
    assert found.balance_s == pytest.approx(0.9, abs=0.11)
    # Only until it suffers again: then nothing was said for a whole second.
    ill = ServerCondition(1, round(5.5 * SECOND), B, 2, "frozen")
    (found,) = came(course((0, 20, 0), (6, 10, 10)), *events, ill)
    assert (found.balance_s, found.why) == (None, TOO_FEW)


def test_who_was_there_from_the_beginning_did_not_come() -> None:
    assert came(course((0, 10, 10))) == ()
