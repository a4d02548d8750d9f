"""The inbox of runs in real time: a queue of gevent's."""

from collections.abc import Callable

import gevent
from gevent.queue import Empty, SimpleQueue

from ipvsload.experiment.clock import Clock, News


class GeventInbox:
    """See `clock.Inbox`; any greenlet may put something into it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: SimpleQueue[News] = SimpleQueue()

    def put(self, news: News) -> None:
        """Add something; does not wait."""
        self._queue.put(news)

    def get(self, until_us: int | None = None) -> News:
        """Take the next; waits for it until that time of the run's clock, then returns None."""
        timeout = None if until_us is None else max(0, until_us - self._clock.now_us()) / 1e6
        try:
            news: News = self._queue.get(timeout=timeout)
        except Empty:
            return None
        return news

    def take_all(self) -> list[News]:
        """Take everything that is there now; does not wait."""
        return [self._queue.get() for _ in range(self._queue.qsize())]

    def run_in_background(self, work: Callable[[], None]) -> None:
        """Run `work` in a greenlet; when it ends, put None, or what it raised."""

        def run() -> None:
            try:
                work()
            except Exception as error:
                self.put(error)
            else:
                self.put(None)

        gevent.spawn(run)
