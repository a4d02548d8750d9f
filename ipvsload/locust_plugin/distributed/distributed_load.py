"""A run's load on the workers of a Locust master.

To the run it is a load like any other: classes start and stop, requests are
told one by one, counts are what conditions read. Each worker has its share
(share.py); what it tells is put on the master's clock here.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import AsyncResult, Event
from gevent.queue import Empty, SimpleQueue

from ipvsload.errors import InvalidRunError, TestbedError
from ipvsload.locust_plugin.distributed import worker_load as to
from ipvsload.locust_plugin.distributed.partition import Share, divide, shares_by_class
from ipvsload.record.format import Request
from ipvsload.record.sidecar_stream import Alignment, align
from ipvsload.scenario.model import Traffic

if TYPE_CHECKING:
    from locust.env import Environment

_BEGUN_WITHIN = 15.0
_PONG_WITHIN = 5.0
_PINGS = 8
_LOOK_SECONDS = 0.25
_GRACE_S = 10.0


class WorkerMessages:
    """Messages from workers, handed to whatever run there is now.

    Locust takes a listener for a kind of message once and for good.
    """

    def __init__(self, environment: "Environment") -> None:
        self.load: DistributedLoad | None = None
        for name in (to.BEGUN, to.PONG, to.NEWS, to.FINISHED, to.BROKEN):
            environment.runner.register_message(name, self._hear)

    def _hear(self, msg: Any, **_: Any) -> None:
        received = time.monotonic_ns()
        if self.load is not None:
            self.load.heard(msg.type, msg.node_id, msg.data, received)


class RemoteCounts:
    """A class's counts over all workers that have a share of it."""

    def __init__(self) -> None:
        self.started = False
        self._number = 0
        self._told: dict[str, list[int]] = {}
        self._workers: list[str] = []

    def begin(self, workers: Sequence[str]) -> int:
        """The class starts (again) on these; the number of this start."""
        self.started = True
        self._number += 1
        self._workers = list(workers)
        return self._number

    def told(self, worker: str, counts: list[int]) -> None:
        """Take a worker's [number of the start, requests, failures, in flight, users, done]."""
        self._told[worker] = counts

    def _sum(self, column: int) -> int:
        return sum(counts[column] for counts in self._told.values())

    @property
    def requests(self) -> int:
        """Finished requests, failed ones too."""
        return self._sum(1)

    @property
    def failures(self) -> int:
        """Those without a whole answer, or with a status of 400 and more."""
        return self._sum(2)

    @property
    def inflight(self) -> int:
        """Sent and not yet answered."""
        return self._sum(3)

    @property
    def users(self) -> int:
        """Users that run now."""
        return self._sum(4)

    @property
    def done(self) -> bool:
        """Started, and every worker has said that this start is over."""
        return self.started and all(
            (told := self._told.get(worker)) and told[0] == self._number and told[5]
            for worker in self._workers
        )


class _Peer:
    """One worker, and how far its clock is from ours."""

    def __init__(self, name: str, shares: dict[str, Share]) -> None:
        self.name = name
        self.shares = shares
        self.begun: AsyncResult[dict[str, Any]] = AsyncResult()
        self.pongs: SimpleQueue[tuple[int, int, int]] = SimpleQueue()
        self.clock = Alignment(0, 0)
        self.finished = Event()
        self.overloads: list[str] = []


class DistributedLoad:
    """The traffic classes of one run on every worker that is there now.

    Args as `run.load.LoadMaker`; `door` is the lab's, "" where there is none.

    Raises:
        InvalidRunError: there are no workers.
        TestbedError: one of them cannot take part.
    """

    def __init__(
        self,
        traffic: Mapping[str, Traffic],
        target: tuple[str, int],
        *,
        environment: "Environment",
        post: WorkerMessages,
        door: str,
        run: int,
        to_us: Callable[[int], int],
        on_finished: Callable[[Request], None],
        on_done: Callable[[str], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._runner = environment.runner
        self._post = post
        self._run, self._to_us = run, to_us
        self._told, self._on_done, self._on_error = on_finished, on_done, on_error
        clients = self._runner.clients
        names = sorted(node.id for node in clients.ready + clients.spawning + clients.running)
        if not names:
            raise InvalidRunError("there are no workers to make the load")
        shares = shares_by_class(traffic, len(names))
        self._peers = {name: _Peer(name, mine) for name, mine in zip(names, shares, strict=True)}
        self.counts: dict[str, RemoteCounts] = {name: RemoteCounts() for name in traffic}
        self._undone: set[str] = set()
        self._overloads: list[str] = []
        post.load = self
        try:
            self._begin(target, door)
            for peer in self._peers.values():
                self._align(peer)
        except BaseException:
            self.close()
            raise
        self._watcher = gevent.spawn(self._watch)

    @property
    def clocks(self) -> Iterator[tuple[str, Alignment]]:
        """Every worker's name and its clock beside ours."""
        return ((peer.name, peer.clock) for peer in self._peers.values())

    def start(self, name: str) -> None:
        """Start a class on every worker that has a share of it."""
        peers = [peer for peer in self._peers.values() if name in peer.shares]
        number = self.counts[name].begin([peer.name for peer in peers])
        self._undone.add(name)
        for peer in peers:
            share = peer.shares[name]
            data = {"class": name, "number": number, "first": share.first, "step": share.step}
            self._send(to.START, peer, data)

    def stop(self, name: str) -> None:
        """No new requests of this class; those in flight finish."""
        for peer in self._peers.values():
            if name in peer.shares:
                self._send(to.STOP, peer, {"class": name})

    def burst(self, requests: int, seconds: float) -> None:
        """So many requests at once over all workers, each held open for so long."""
        parts = divide(requests, [1] * len(self._peers))
        for peer, part in zip(self._peers.values(), parts, strict=True):
            if part:
                self._send(to.BURST, peer, {"requests": part, "seconds": seconds})

    def finish(self, grace: float, soon: bool = False) -> None:
        """Stop every class and wait for what is in flight; see `run.load.Load`."""
        longest = 0.0
        for peer in self._peers.values():
            self._send(to.FINISH, peer, {"grace": grace, "soon": soon})
            longest = max([longest, *(share.spec.timeout for share in peer.shares.values())])
        deadline = time.monotonic() + grace + (0.0 if soon else longest) + _GRACE_S
        for peer in self._peers.values():
            if not peer.finished.wait(max(0.0, deadline - time.monotonic())):
                raise InvalidRunError(f"worker {peer.name} did not say that its requests ended")
            self._overloads += [f"{reason} (worker {peer.name})" for reason in peer.overloads]

    def overloads(self) -> list[str]:
        """Why a worker was too busy for its figures to count, if one was."""
        return self._overloads

    def close(self) -> None:
        """Cut off what is in flight; calling it again does nothing."""
        if self._post.load is not self:
            return
        if hasattr(self, "_watcher"):
            self._watcher.kill()
        for peer in self._peers.values():
            self._send(to.CLOSE, peer, {})
        self._post.load = None

    def heard(self, kind: str, name: str, data: dict[str, Any], received_ns: int) -> None:
        """A message of a worker's."""
        peer = self._peers.get(name)
        if peer is None or data.get("run", self._run) != self._run:
            return
        match kind:
            case to.BEGUN:
                peer.begun.set(data)
            case to.PONG:
                peer.pongs.put((data["id"], data["t"], received_ns))
            case to.NEWS:
                self._news(peer, data)
            case to.FINISHED:
                peer.overloads = data["overloads"]
                peer.finished.set()
            case to.BROKEN:
                self._on_error(InvalidRunError(f"worker {name}: {data['reason']}"))

    # Inside

    def _send(self, kind: str, peer: _Peer, data: dict[str, Any]) -> None:
        self._runner.send_message(kind, data, client_id=peer.name)

    def _begin(self, target: tuple[str, int], door: str) -> None:
        for peer in self._peers.values():
            traffic = {name: share.spec.model_dump() for name, share in peer.shares.items()}
            data = {"run": self._run, "target": list(target), "door": door, "traffic": traffic}
            self._send(to.BEGIN, peer, data)
        deadline = time.monotonic() + _BEGUN_WITHIN
        for peer in self._peers.values():
            try:
                answer = peer.begun.get(timeout=max(0.0, deadline - time.monotonic()))
            except gevent.Timeout:
                raise TestbedError(
                    f"worker {peer.name} did not answer within {_BEGUN_WITHIN:.0f} s;"
                    " does it run the same locustfile and the same ipvsload?"
                ) from None
            if answer["trouble"]:
                raise TestbedError(f"worker {peer.name}: {answer['trouble']}")

    def _align(self, peer: _Peer) -> None:
        exchanges = []
        for number in range(_PINGS):
            sent = time.monotonic_ns()
            self._send(to.PING, peer, {"id": number})
            try:
                identity, theirs, received = peer.pongs.get(timeout=_PONG_WITHIN)
            except Empty:
                raise TestbedError(
                    f"worker {peer.name} did not answer a ping within {_PONG_WITHIN:.0f} s"
                ) from None
            if identity == number:
                exchanges.append((sent, theirs, received))
        peer.clock = align(exchanges)
        same_machine = peer.begun.get()["boot"] == to.boot() != ""
        if same_machine and abs(peer.clock.offset_ns) <= peer.clock.uncertainty_ns:
            peer.clock = Alignment(0, 0)  # it is one clock, and that is exact

    def _news(self, peer: _Peer, data: dict[str, Any]) -> None:
        for row in data["rows"]:
            request = Request(*row)
            self._told(
                request._replace(
                    planned_us=self._ours(peer, request.planned_us),
                    start_us=self._ours(peer, request.start_us),
                )
            )
        for name, counts in data["counts"].items():
            if name in self.counts:
                self.counts[name].told(peer.name, counts)
        for name in list(self._undone):
            if self.counts[name].done:
                self._undone.remove(name)
                self._on_done(name)

    def _ours(self, peer: _Peer, their_us: int) -> int:
        return self._to_us(peer.clock.to_ours(their_us * 1000))

    def _watch(self) -> None:
        """A worker that has gone took users, and requests that nobody can count, with it."""
        while True:
            gevent.sleep(_LOOK_SECONDS)
            for name in self._peers:
                node = self._runner.clients.get(name)
                if node is None or node.state == "missing":
                    self._on_error(
                        InvalidRunError(
                            f"worker {name} went away in the middle of the run; what it had in"
                            " flight is not known"
                        )
                    )
                    return
