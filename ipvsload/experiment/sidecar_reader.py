"""The sidecar as a run sees it: samples on the generator's clock.

One greenlet reads the sidecar's output for as long as the testbed is up. A run
says which virtual service it follows. The answers to `ping` lines, which are
sent to the sidecar, say how far its clock is from ours and how exact that is.
"""

import contextlib
import time

import gevent
from gevent.event import AsyncResult
from gevent.queue import SimpleQueue

from ipvsload.errors import TestbedError
from ipvsload.experiment.clock import Clock, Follower
from ipvsload.ipvs.keys import join_endpoint, split_endpoint, split_key
from ipvsload.record.clock_alignment import Alignment, align
from ipvsload.record.events import ListRead
from ipvsload.record.format import ListedConnection, NewConnections, Sample
from ipvsload.record.sidecar_stream import (
    Connections,
    ConnectionsRead,
    End,
    Hello,
    NodeLost,
    Pong,
    Reading,
    Settings,
    SidecarParser,
)
from ipvsload.testbed.base import SidecarPipe, Target

_PINGS = 8
_PONG_WITHIN = 15.0
"""Longer than an API server may be away: in a cluster, answers come through a pod's log."""
_HELLO_WITHIN = 20.0
_UNKNOWN = Alignment(0, 0)


class SidecarReader:
    """Reads `pipe`. Raises TestbedError if the sidecar does not begin to write.

    A follower gets each sample of its service, its connections where it wants them, or the
    error that ended the stream. `observer` gets each sample of the whole table, and that error,
    too. `node` is the name that the sidecar gives to itself, `hz` how many samples a second it
    promises; `settings` is what is set on each node, as it was told last. `tells_connections`
    says whether it can tell connections: one of an earlier version cannot.
    """

    def __init__(self, pipe: SidecarPipe, clock: Clock, observer: Follower | None = None) -> None:
        self._pipe = pipe
        self._clock = clock
        self._parser = SidecarParser()
        self._alignments: dict[str, Alignment] = {}
        self.settings: dict[str, Settings] = {}
        self.node = ""
        self.hz = 0.0
        self._followed: dict[int, tuple[str, Follower]] = {}
        """By the runs' numbers: the one that plays, and those that settle."""
        self._listing: tuple[int, Target] | None = None
        """The run whose connections are told, and its service."""
        self.tells_connections = False
        self._observer = observer
        self._pongs: SimpleQueue[tuple[Pong, int]] = SimpleQueue()
        self._hello: AsyncResult[Hello] = AsyncResult()
        self._reader = gevent.spawn(self._read)
        late = TestbedError(
            f"the sidecar said nothing within {_HELLO_WITHIN:.0f} s; does `ipvsload collect`"
            " work beside the balancer?"
        )
        try:
            with gevent.Timeout(_HELLO_WITHIN, late):
                self._hello.get()
        except TestbedError:
            self.close()
            raise

    def follow(
        self, run: int, key: str, follower: Follower | None, listed: Target | None = None
    ) -> None:
        """From now on hand samples of service `key` to `follower`, marked with the run's number.

        And the connections that the director has listed for the service `listed`, if any, instead
        of those of another run. Without a follower, those of that run to nobody any more.
        """
        self._followed.pop(run, None)
        if follower:
            self._followed[run] = key, follower
        if listed and self.tells_connections:
            self._listing = run, listed
            self._command(f"connections {_balanced_at(listed)}")
        elif self._listing and self._listing[0] == run:
            self._listing = None
            self._command("connections")

    def look(self, *, connections: bool = False) -> None:
        """Have a sample soon; with `connections` also what was made until now, and all of it.

        One of an earlier version goes on at its own pace.
        """
        if self.tells_connections:
            self._command("look connections" if connections else "look")

    def _command(self, line: str) -> None:
        # Where nothing reads what it is sent any more, its output says so, too.
        with contextlib.suppress(OSError):
            self._pipe.sendall(line.encode() + b"\n")

    def align(self) -> dict[str, Alignment]:
        """How far each node's clock is from ours, by the node's name; by a few round trips.

        Raises TestbedError when the sidecar does not answer.
        """
        exchanges: dict[str, list[tuple[int, int, int]]] = {}
        late = TestbedError(f"the sidecar did not answer a ping within {_PONG_WITHIN:.0f} s")
        for number in range(_PINGS):
            sent = time.monotonic_ns()
            self._pipe.sendall(f"ping {number}\n".encode())
            with gevent.Timeout(_PONG_WITHIN, late):
                pong, received = self._pongs.get()
            if pong.id == str(number):
                for node, theirs in ((self.node, pong.t_ns), *pong.others.items()):
                    exchanges.setdefault(node, []).append((sent, theirs, received))
        self._alignments = {node: align(found) for node, found in exchanges.items()}
        return self._alignments

    @property
    def alive(self) -> bool:
        """Whether the sidecar still writes."""
        return not self._reader.dead

    def close(self) -> None:
        """Stop reading; the sidecar ends when nobody reads its output."""
        self._followed.clear()
        self._observer = None
        self._reader.kill()
        self._pipe.close()

    def _read(self) -> None:
        try:
            while chunk := self._pipe.recv(1 << 18):
                received = time.monotonic_ns()
                for message in self._parser.feed(chunk):
                    match message:
                        case Reading():
                            self._sampled(message)
                        case Connections() | ConnectionsRead():
                            self._listed(message)
                        case Pong():
                            self._pongs.put((message, received))
                        case Hello():
                            # Set here, because samples may come in the same piece of the stream.
                            self.node, self.hz = message.node, message.hz
                            self.tells_connections = message.tells_connections
                            self._hello.set(message)
                        case Settings():
                            self.settings[message.node or self.node] = message
                        case NodeLost():
                            self._tell(message)
                        case End(reason):
                            raise TestbedError(f"the sidecar ended: {reason}")
            raise TestbedError("the sidecar's output ended in the middle of the run")
        except OSError as error:
            self._fail(TestbedError(f"the sidecar's output broke off: {error.strerror}"))
        except TestbedError as error:
            self._fail(error)

    def _fail(self, error: TestbedError) -> None:
        self._hello.set_exception(error)
        self._tell(error)

    def _tell(self, news: NodeLost | TestbedError) -> None:
        followers = dict.fromkeys(follower for _, follower in self._followed.values())
        for tell in (*followers, self._observer):
            if tell:
                tell(news)

    def _our_us(self, node: str, t_ns: int) -> int:
        """A time on a node's clock, on the run's."""
        return self._clock.from_ns(self._alignments.get(node, _UNKNOWN).to_ours(t_ns))

    def _listed(self, told: Connections | ConnectionsRead) -> None:
        if self._listing is None or self._listing[0] not in self._followed:
            return
        run, node = self._listing[0], told.node or self.node
        _, follower = self._followed[run]
        t_us = self._our_us(node, told.t_ns)
        if isinstance(told, Connections):
            rows = (ListedConnection(run, t_us, *row[:4]) for row in told.rows)
            follower(NewConnections(run, tuple(rows)))
        else:
            began_us, why = self._our_us(node, told.began_ns), told.why or None
            read = ListRead(run, t_us, node, began_us, told.entries, told.source, why)
            follower(read)

    def _sampled(self, reading: Reading) -> None:
        node = reading.node or self.node
        t_us = self._our_us(node, reading.t_ns)
        took_us = reading.took_ns // 1000
        if self._observer:
            self._observer(Sample(0, node, t_us, took_us, reading.services))
        for run, (key, follower) in list(self._followed.items()):
            services = tuple(one for one in reading.services if one.key == key)
            follower(Sample(run, node, t_us, took_us, services))


def _balanced_at(service: Target) -> str:
    """The ADDRESS:PORT at which its connections are made; without an address where any may be."""
    parts = split_key(service.key)
    if parts.port is None:  # a mark has no address
        return join_endpoint("", service.port)
    host, port = split_endpoint(parts.target)
    return join_endpoint(host, port or service.port)
