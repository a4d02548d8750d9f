"""The real servers' event loop: an epoll, and who is called for which descriptor.

It is one loop for thousands of connections of which most live for a millisecond. So nothing
is made for a connection but an entry here, and not even that for one whose request came with
its handshake.
"""

import select
from collections.abc import Callable
from typing import NoReturn

READ, WRITE, EDGE = select.EPOLLIN, select.EPOLLOUT, select.EPOLLET
_BATCH = 256

Ready = Callable[[], None]


class ServerLoop:
    """Calls what watches a descriptor when that is ready, also when it has only ended.

    A call may come without a reason: of a descriptor that was closed a moment before, and
    that a new connection has got.
    """

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._calls: dict[int, Ready] = {}

    def run(self) -> NoReturn:
        """Wait and call, for ever."""
        poll, calls = self._poll.poll, self._calls
        while True:
            for descriptor, _ in poll(None, _BATCH):
                call = calls.get(descriptor)
                if call is not None:
                    call()

    def renew(self) -> None:
        """In a new process: watch nothing, by an epoll of its own."""
        self._poll.close()
        self._poll = select.epoll()
        self._calls.clear()

    def watch(self, descriptor: int, call: Ready, events: int = READ) -> None:
        """Call for these events from now on."""
        self._poll.register(descriptor, events)
        self._calls[descriptor] = call

    def change(self, descriptor: int, events: int) -> None:
        """Call for these instead. What is ready is told anew."""
        self._poll.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Call no more; before the descriptor is closed."""
        if self._calls.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)
