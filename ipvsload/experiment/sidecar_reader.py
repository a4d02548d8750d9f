"""The sidecar as a run sees it: samples on the generator's clock.

One greenlet reads the sidecar's output for as long as the testbed is up. A run
says which virtual service it follows. The answers to `ping` lines, which are
sent to the sidecar, say how far its clock is from ours and how exact that is.
"""

import time

import gevent
from gevent.event import AsyncResult
from gevent.queue import SimpleQueue

from ipvsload.errors import TestbedError
from ipvsload.experiment.clock import Clock, Follower
from ipvsload.record.clock_alignment import Alignment, align
from ipvsload.record.format import Sample
from ipvsload.record.sidecar_stream import (
    End,
    Hello,
    NodeLost,
    Pong,
    Reading,
    Settings,
    SidecarParser,
)
from ipvsload.testbed.base import SidecarPipe

_PINGS = 8
_PONG_WITHIN = 15.0
"""Longer than an API server may be away: in a cluster, answers come through a pod's log."""
_HELLO_WITHIN = 20.0
_UNKNOWN = Alignment(0, 0)


class SidecarReader:
    """Reads `pipe`. Raises TestbedError if the sidecar does not begin to write.

    A follower gets each sample of its service, or the error that ended the
    stream. `observer` gets each sample of the whole table, and that error, too.
    `node` is the name that the sidecar gives to itself, `hz` how many samples a second it
    promises; `settings` is what is set on
    each node, as it was told last.
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

    def follow(self, run: int, key: str, follower: Follower | None) -> None:
        """From now on hand samples of service `key` to `follower`, marked with the run's number.

        Without a follower, those of that run to nobody any more.
        """
        self._followed.pop(run, None)
        if follower:
            self._followed[run] = key, follower

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
                        case Pong():
                            self._pongs.put((message, received))
                        case Hello():
                            # Set here, because samples may come in the same piece of the stream.
                            self.node, self.hz = message.node, message.hz
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

    def _sampled(self, reading: Reading) -> None:
        node = reading.node or self.node
        alignment = self._alignments.get(node, _UNKNOWN)
        t_us = self._clock.from_ns(alignment.to_ours(reading.t_ns))
        took_us = reading.took_ns // 1000
        if self._observer:
            self._observer(Sample(0, node, t_us, took_us, reading.services))
        for run, (key, follower) in list(self._followed.items()):
            services = tuple(one for one in reading.services if one.key == key)
            follower(Sample(run, node, t_us, took_us, services))
