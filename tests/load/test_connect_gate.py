"""Connections are begun as fast as they are accepted; dead servers delay nobody."""

from ipvsload.load.connect_gate import ConnectGate

MS = 1_000_000


def test_no_more_than_the_limit_are_on_their_way() -> None:
    gate = ConnectGate(limit=3, accept_within_ns=20 * MS)
    for number in range(3):
        assert gate.is_open(number)
        gate.enter(number, number)
    assert not gate.is_open(5)
    gate.leave(1)
    assert gate.is_open(6)


def test_those_that_are_not_accepted_soon_stop_counting() -> None:
    gate = ConnectGate(limit=2, accept_within_ns=20 * MS)
    gate.enter("dead", 0)
    gate.enter("dead too", 5 * MS)
    assert not gate.is_open(19 * MS)
    assert gate.is_open(20 * MS)
    gate.enter("alive", 20 * MS)
    assert not gate.is_open(24 * MS)
    gate.leave("dead")
    assert gate.is_open(25 * MS)
