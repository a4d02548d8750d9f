import errno
import os
import resource
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


def test_a_process_without_room_for_all_descriptors_gets_none_and_the_reason(pair: Pair) -> None:
    descriptor_messages.send(pair[0], "sockets", [pair[0].fileno()] * 20)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(pair[0].fileno())
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 10, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files") as error:
            descriptor_messages.receive(pair[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert error.value.errno == errno.EMFILE
    again = os.dup(pair[0].fileno())
    os.close(again)
    assert again == lowest_free
