"""The first and the last request of each connection, out of many at once."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.format import Request
from ipvsload.record.request_table import RequestTable
from ipvsload.replay.carried_connections import carried_connections

carried = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=40)


@given(carried, st.booleans())
def test_each_connection_has_its_first_and_its_last(
    found: list[tuple[int, int]], opened_before: bool
) -> None:
    """Connections of these ports in turn, with so many requests each."""
    sent = [
        Request(1, "chat", t, t, 1, 200, 1, "203.0.113.1", port, n > 0, None, None)
        for t, (port, n) in enumerate((port, n) for port, many in found for n in range(many))
    ]
    if opened_before and sent:
        sent[0] = sent[0]._replace(reused=True)
    seen = list(carried_connections(RequestTable.of(1, reversed(sent))))
    expected: list[tuple[Request, Request]] = []
    for port, its in groupby(sorted(sent, key=lambda r: r.port), key=lambda r: r.port):
        for request in its if port else ():
            if request.reused and expected and expected[-1][0].port == port:
                expected[-1] = (expected[-1][0], request)
            else:
                expected.append((request, request))
    assert sorted(seen) == sorted(expected)
