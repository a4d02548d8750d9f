"""A run's load on the workers of a Locust master.

To the run it is a load like any other: classes start and stop, requests are
reported one by one, and conditions read the counts. Each worker has its share
(partition.py). The times that it reports are put on the master's clock here.
"""

import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence

import gevent
from gevent.event import AsyncResult, Event
from gevent.queue import Empty, SimpleQueue
from locust.runners import MasterRunner

from ipvsload.errors import InvalidRunError, TestbedError
from ipvsload.load.base import LoadListener
from ipvsload.load.locust_internals import available_workers
from ipvsload.locust_plugin.distributed import messages as m
from ipvsload.locust_plugin.distributed.partition import Share, divide, shares_by_class
from ipvsload.locust_plugin.distributed.worker_load import boot_id
from ipvsload.record.clock_alignment import Alignment, align
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget

_BEGUN_WITHIN = 15.0
_PONG_WITHIN = 5.0
_PINGS = 8
_GRACE_S = 10.0


def send_burst(runner: MasterRunner, workers: Sequence[str], requests: int, seconds: float) -> None:
    """Divide a burst among these workers."""
    for worker, part in zip(workers, divide(requests, [1] * len(workers)), strict=True):
        if part:
            m.send(runner, m.SendBurst(part, seconds), worker)


class RemoteCounts:
    """The sums of a class's counts over all workers that have a share of it.

    See `ClassCounts` for what is counted.
    """

    def __init__(self) -> None:
        self.started = False
        self.requests = self.failures = self.inflight = self.users = 0
        self._number = 0
        self._told: dict[str, m.ClassCounters] = {}
        self._workers: list[str] = []

    def begin(self, workers: Sequence[str]) -> int:
        """Take note that the class starts (again) on these; return the number of this start."""
        self.started = True
        self._number += 1
        self._workers = list(workers)
        return self._number

    def told(self, worker: str, counts: m.ClassCounters) -> None:
        """Take a worker's counts of the class; see `messages.LoadProgress`."""
        self._told[worker] = counts
        sums = map(sum, zip(*self._told.values(), strict=True))
        _, self.requests, self.failures, self.inflight, self.users, _ = sums

    @property
    def done(self) -> bool:
        """Whether the class was started and every worker has said that this start is over."""
        return self.started and all(
            (told := self._told.get(worker)) and told[0] == self._number and told[5]
            for worker in self._workers
        )


class _Peer:
    """One worker: its share, what it has said, and how far its clock is from ours."""

    def __init__(self, name: str, shares: dict[str, Share]) -> None:
        self.name = name
        self.shares = shares
        self.begun: AsyncResult[m.LoadBegun] = AsyncResult()
        self.pongs: SimpleQueue[tuple[m.ClockPong, int]] = SimpleQueue()
        self.clock = Alignment(0, 0)
        self.finished = Event()
        self.overloads: list[str] = []


class DistributedLoad:
    """The traffic classes of one run on every worker that is there now.

    Args:
        traffic, target, listener, key: as `load.base.LoadMaker`.
        runner: the master's.
        broker: the lab's, "" where there is none.
        attach: called with this load when it needs to hear of the workers
            (`heard`, `broken`, `check`), and with None when it is closed.

    Raises:
        InvalidRunError: there are no workers.
        TestbedError: one of them cannot take part.
    """

    def __init__(
        self,
        traffic: Mapping[str, Traffic],
        target: HttpTarget,
        listener: LoadListener,
        key: str = "",
        *,
        runner: MasterRunner,
        broker: str,
        attach: Callable[["DistributedLoad | None"], None],
    ) -> None:
        self._runner = runner
        self._attach = attach
        self._run, self._zero_ns, self._on_finished, self._on_done, self._on_error = listener
        names = available_workers(runner)
        if not names:
            raise InvalidRunError("there are no workers to make the load")
        shares = shares_by_class(traffic, len(names))
        self._peers = {name: _Peer(name, mine) for name, mine in zip(names, shares, strict=True)}
        self.counts: dict[str, RemoteCounts] = {name: RemoteCounts() for name in traffic}
        self._undone: set[str] = set()
        self._overloads: list[str] = []
        self._closed = self._lost = False
        attach(self)
        try:
            self._begin(target, broker, key)
            for peer in self._peers.values():
                self._align(peer)
        except BaseException:
            self.close()
            raise

    @property
    def clocks(self) -> Iterator[tuple[str, Alignment]]:
        """Every worker's name, and how far its clock is from ours."""
        return ((peer.name, peer.clock) for peer in self._peers.values())

    def start(self, name: str) -> None:
        """Start a class on every worker that has a share of it."""
        peers = [peer for peer in self._peers.values() if name in peer.shares]
        number = self.counts[name].begin([peer.name for peer in peers])
        self._undone.add(name)
        for peer in peers:
            share = peer.shares[name]
            self._send(peer, m.StartClass(name, number, share.first, share.step))

    def stop(self, name: str) -> None:
        """Send no new requests of this class; those in flight finish."""
        for peer in self._peers.values():
            if name in peer.shares:
                self._send(peer, m.StopClass(traffic_class=name))

    def burst(self, requests: int, seconds: float) -> None:
        """Send so many requests at once from all workers together, each held open for so long."""
        send_burst(self._runner, list(self._peers), requests, seconds)

    def finish(self, grace: float, soon: bool = False) -> None:
        """Stop every class and wait for what is in flight; see `load.base.Load`."""
        longest = 0.0
        for peer in self._peers.values():
            self._send(peer, m.FinishLoad(grace=grace, soon=soon))
            longest = max([longest, *(share.spec.timeout for share in peer.shares.values())])
        deadline = time.monotonic() + grace + (0.0 if soon else longest) + _GRACE_S
        for peer in self._peers.values():
            if not peer.finished.wait(max(0.0, deadline - time.monotonic())):
                raise InvalidRunError(f"worker {peer.name} did not say that its requests ended")
            self._overloads += [f"{reason} (worker {peer.name})" for reason in peer.overloads]

    def overloads(self) -> list[str]:
        """Say why a worker was too busy for its figures to count, if one was."""
        return self._overloads

    def close(self) -> None:
        """Cut off what is in flight; calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._attach(None)
        for peer in self._peers.values():
            self._send(peer, m.CloseLoad())

    # Called by Workers

    def heard(self, worker: str, message: m.WorkerMessage) -> None:
        """Take a worker's message about its load."""
        peer = self._peers.get(worker)
        if peer is None:
            return
        match message:
            case m.ClockPong():
                peer.pongs.put((message, time.monotonic_ns()))
            case m.LoadBegun(run=self._run):
                peer.begun.set(message)
            case m.LoadProgress(run=self._run):
                self._progress(peer, message)
            case m.LoadFinished(run=self._run):
                peer.overloads = message.overloads
                peer.finished.set()
            case m.LoadBroken(run=self._run):
                self.broken(worker, message.reason)

    def broken(self, worker: str, reason: str) -> None:
        """Take note that a worker's load has failed, or that its messages cannot be read."""
        peer = self._peers.get(worker)
        if peer is None:
            return
        if peer.begun.ready():
            self._on_error(InvalidRunError(f"worker {worker}: {reason}"))
        else:
            peer.begun.set(m.LoadBegun(run=self._run, trouble=reason, boot=""))

    def check(self, present: Container[str]) -> None:
        """End the run where a worker is not among those that are present.

        It took users, and requests that nobody can count, with it.
        """
        missing = [name for name in self._peers if name not in present]
        if missing and not self._lost:
            self._lost = True
            self._on_error(
                InvalidRunError(
                    f"worker {missing[0]} went away in the middle of the run; what it had in"
                    " flight is not known"
                )
            )

    # Inside

    def _send(self, peer: _Peer, message: m.WorkerMessage) -> None:
        m.send(self._runner, message, peer.name)

    def _begin(self, target: HttpTarget, broker: str, key: str) -> None:
        for peer in self._peers.values():
            traffic = {name: share.spec_to_json() for name, share in peer.shares.items()}
            self._send(peer, m.BeginLoad(self._run, target, broker, traffic, key))
        deadline = time.monotonic() + _BEGUN_WITHIN
        for peer in self._peers.values():
            try:
                answer = peer.begun.get(timeout=max(0.0, deadline - time.monotonic()))
            except gevent.Timeout:
                raise TestbedError(
                    f"worker {peer.name} did not answer within {_BEGUN_WITHIN:.0f} s;"
                    " does it run the same locustfile and the same ipvsload?"
                ) from None
            if answer.trouble:
                raise TestbedError(f"worker {peer.name}: {answer.trouble}")

    def _align(self, peer: _Peer) -> None:
        exchanges = []
        for number in range(_PINGS):
            sent = time.monotonic_ns()
            self._send(peer, m.ClockPing(number=number))
            try:
                pong, received = peer.pongs.get(timeout=_PONG_WITHIN)
            except Empty:
                raise TestbedError(
                    f"worker {peer.name} did not answer a ping within {_PONG_WITHIN:.0f} s"
                ) from None
            if pong.number == number:
                exchanges.append((sent, pong.time_ns, received))
        peer.clock = align(exchanges)
        same_machine = peer.begun.get().boot == boot_id() != ""
        if same_machine and abs(peer.clock.offset_ns) <= peer.clock.uncertainty_ns:
            peer.clock = Alignment(0, 0)  # both read the same clock

    def _progress(self, peer: _Peer, message: m.LoadProgress) -> None:
        if message.requests:
            self._on_finished(
                [
                    Request(run, name, self._ours(peer, planned), self._ours(peer, start), *rest)
                    for run, name, planned, start, *rest in message.requests
                ]
            )
        for name, counts in message.counts.items():
            if name in self.counts:
                self.counts[name].told(peer.name, counts)
        for name in list(self._undone):
            if self.counts[name].done:
                self._undone.remove(name)
                self._on_done(name)

    def _ours(self, peer: _Peer, their_us: int) -> int:
        return (peer.clock.to_ours(their_us * 1000) - self._zero_ns) // 1000
