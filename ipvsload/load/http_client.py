"""The HTTP client: every request of a process, in one epoll loop in one greenlet.

What makes a Python load generator slow is not Python but a greenlet and its
switches for each request. Here one greenlet waits, in gevent's hub, for the
descriptor of an epoll of its own. Then it serves whatever is ready, in slices,
so that other greenlets get their turns. Who sends the next request, and when,
is decided by the workloads (workload.py).
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from gevent.hub import get_hub
from gevent.monkey import get_original

from ipvsload.load.connection_watch import ConnectionWatch
from ipvsload.load.exchange import Exchange
from ipvsload.load.finished_batch import FinishedBatch
from ipvsload.load.request_carrier import EDGE, ENDED, IN, RequestCarrier
from ipvsload.load.tcp_connect import Sockets
from ipvsload.load.timers import Timers
from ipvsload.scenario.url import HttpTarget

SLICE_NS = 2_000_000
"""How long the loop works before other greenlets get a turn."""
_BATCH = 64
_epoll: Any = get_original("select", "epoll")


class HttpClient:
    """The loop and its connections to one target.

    Args:
        target: a host, whose name is resolved once, here, its port, and whether it is https.
        sockets: where connections come from; None: they are this machine's,
            and its kernel chooses their ports.
        on_error: called once with what a workload's callback raised (because a
            disk is full, say); the loop has ended.
        watch: told of connections; None: nobody is.

    Raises:
        TestbedError: the target's name is not known.
        UsageError: a file of its TLS is not what it should be.
    """

    def __init__(
        self,
        target: HttpTarget,
        sockets: Sockets | None,
        on_error: Callable[[Exception], None],
        watch: ConnectionWatch | None = None,
    ) -> None:
        self.target = target
        self._on_error = on_error
        self._poll = _epoll()
        self.timers = Timers()
        self._poll.register(self.timers.fd, IN | EDGE)
        self._carrier = RequestCarrier(target, sockets, watch, self._poll, self.timers)
        self._to_connect = self._carrier.to_connect
        self._ungated: deque[Exchange] = deque()
        """Exchanges that do not wait for the gate: they have a connection, or are due."""
        self._batches: list[FinishedBatch] = []
        self._closed = False
        self._failed = False
        self._greenlet = gevent.spawn(self._run)

    # What workloads ask for

    def begin(self, exchange: Exchange, planned_ns: int = 0) -> None:
        """Send the exchange's request as soon as the loop turns.

        `planned_ns` is when it was due; 0 means when it is sent.
        """
        exchange.queued = True
        exchange.planned = planned_ns
        exchange.response = None
        exchange.start = 0
        if exchange.closing and exchange.one_connection:
            return  # ClosingConnections passes it on
        # What is due at a time does not wait: its lateness would be ours.
        gated = exchange.sock is None and not planned_ns
        (self._to_connect if gated else self._ungated).append(exchange)
        if self.timers.asleep:
            self.timers.wake()

    def drop(self, exchange: Exchange) -> None:
        """Give up the exchange's request, if any, and close its connection."""
        self._carrier.drop(exchange)

    def time_out(self, exchange: Exchange) -> None:
        """Give up a request that has no answer in time, and close its connection."""
        self._carrier.time_out(exchange)

    def add_batch(self, batch: FinishedBatch) -> None:
        """Have what is gathered there handed over before other greenlets get a turn."""
        if batch not in self._batches:
            self._batches.append(batch)

    def hand_over(self) -> None:
        """Hand over what has ended; what that raises ends the loop."""
        try:
            for batch in self._batches:
                batch.hand_over()
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End the loop and call `on_error`, the first time only."""
        if not self._failed:
            self._failed = True
            self._greenlet.kill(block=False)
            self._on_error(error)

    def close(self) -> None:
        """Stop the loop and close every connection. Nothing is recorded."""
        if self._closed:
            return
        self._closed = True
        self._greenlet.kill()
        self._carrier.close()
        self._poll.close()
        self.timers.close()

    # The loop

    def _run(self) -> None:
        hub = get_hub()
        readable = hub.loop.io(self._poll.fileno(), 1)
        timers = self.timers
        try:
            while True:
                if self._to_connect or self._ungated:
                    gevent.sleep(0)
                else:
                    timers.arm_next()
                    timers.asleep = True
                    hub.wait(readable)
                    timers.asleep = False
                self._slice(time.monotonic_ns() + SLICE_NS)
                self.hand_over()
        except Exception as error:
            self.fail(error)
        finally:
            readable.close()

    def _slice(self, end: int) -> None:
        poll, timers = self._poll.poll, self.timers
        carrier, gate = self._carrier, self._carrier.gate
        entries, serve = carrier.entries, carrier.serve
        to_connect, ungated = self._to_connect, self._ungated
        while True:
            # The wait sleeps in the kernel. It is short, so that other greenlets
            # wait little; it saves a turn of the hub for nearly every event.
            timers.arm_next()
            may_connect = bool(to_connect) and gate.is_open(time.monotonic_ns())
            events = poll(0 if may_connect or ungated else 0.001, _BATCH)
            for fd, mask in events:
                entry = entries.get(fd)
                if isinstance(entry, Exchange):
                    serve(entry, mask)
                elif entry is not None:
                    carrier.closing.serve(entry, bool(mask & ENDED))
                elif fd == timers.fd:
                    timers.run_due()
                if may_connect and to_connect:
                    # At once, so that the server has work while we go on. This is wrong for
                    # one that has a connection: its end may be among these events.
                    carrier.start(to_connect.popleft())
            if to_connect or ungated:
                self._start_some()
            if not (events or to_connect or ungated) or time.monotonic_ns() >= end:
                return

    def _start_some(self) -> None:
        to_connect, ungated = self._to_connect, self._ungated
        carrier = self._carrier
        for _ in range(min(len(ungated), _BATCH)):
            carrier.start(ungated.popleft())
        for _ in range(min(len(to_connect), _BATCH)):
            if not carrier.gate.is_open(time.monotonic_ns()):
                return
            carrier.start(to_connect.popleft())
