import socket
from collections.abc import Iterator

import pytest

from ipvsload.testbed.lab import descriptor_messages

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        yield one, other


def test_messages_arrive_one_by_one(pair: Pair) -> None:
    for number in (1, 2):
        descriptor_messages.send(pair[0], {"number": number})
    assert descriptor_messages.receive(pair[1]) == ({"number": 1}, [])
    assert descriptor_messages.receive(pair[1]) == ({"number": 2}, [])


@pytest.mark.parametrize("unread", [0, 1])
def test_the_end_of_the_other_side_is_no_error(unread: int, pair: Pair) -> None:
    # The kernel reports a reset where the other side had not read all that was sent to it.
    for _ in range(unread):
        descriptor_messages.send(pair[0], "unread")
    pair[1].close()
    assert descriptor_messages.receive(pair[0]) == (None, [])
