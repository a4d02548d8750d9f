"""Time that goes on only where something happens: the clock and the inbox of a simulated run.

It is a heap of functions. While a run waits for news, the next of them is called, and
the time is then when that was due; so ten seconds take as long as what happens in them.
"""

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush

from ipvsload.experiment.clock import News
from ipvsload.testbed.lab.due_call import DueCall


class VirtualTime:
    """A clock, an inbox (experiment/clock.py) and timers (testbed/lab/worker_pool.py) in one.

    Of what is due at the same time, what was planned first comes first.
    """

    def __init__(self) -> None:
        self.now_ns = 0
        self._planned = 0
        self._heap: list[tuple[int, int, Callable[[int], None]]] = []
        self._news: deque[News] = deque()

    def call(self, when_ns: int, function: Callable[[int], None]) -> None:
        """Call `function` at that time, with that time."""
        self._planned += 1
        heappush(self._heap, (when_ns, self._planned, function))

    def at(self, when_ns: int, function: Callable[[int], None]) -> DueCall:
        """The same, but it can be cancelled."""
        call = DueCall(function)
        self.call(when_ns, call)
        return call

    def catch_up(self) -> int:
        """The time now, in ns: nothing is ever late."""
        return self.now_ns

    # The clock of a recording

    zero_ns = 0
    """It is the load's own."""

    def now_us(self) -> int:
        """The time now."""
        return self.now_ns // 1000

    def from_ns(self, monotonic_ns: int) -> int:
        """A time of the load's on this clock: it is the same one."""
        return monotonic_ns // 1000

    # The inbox of a run

    def put(self, news: News) -> None:
        """Add something. An error comes before all that waits: a run ends at once."""
        if isinstance(news, BaseException):
            self._news.appendleft(news)
        else:
            self._news.append(news)

    @property
    def ending(self) -> bool:
        """Whether an error waits to be taken."""
        return bool(self._news) and isinstance(self._news[0], BaseException)

    def raise_if_ending(self) -> None:
        """Raise the error that waits. For whoever does much before the inbox is looked at."""
        if self.ending:
            error = self._news.popleft()
            assert isinstance(error, BaseException)
            raise error

    def get(self, until_us: int | None = None) -> News:
        """Take the next; have things happen until there is one, or until that time."""
        news, heap = self._news, self._heap
        last = None if until_us is None else until_us * 1000
        while not news:
            if last is not None and (not heap or heap[0][0] > last):
                self.now_ns = max(self.now_ns, last)
                return None
            self.step()
        return news.popleft()

    def take_all(self) -> list[News]:
        """Take everything that is there now."""
        taken = list(self._news)
        self._news.clear()
        return taken

    def run_in_background(self, work: Callable[[], None]) -> None:
        """Have `work` done at once when the run waits; then put None, or what it raised."""

        def run(_now_ns: int) -> None:
            try:
                work()
            except Exception as error:
                self.put(error)
            else:
                self.put(None)

        self.call(self.now_ns, run)

    # For whoever waits inside of something that happens

    def step(self) -> None:
        """The next thing happens."""
        self.now_ns, _, function = heappop(self._heap)
        function(self.now_ns)

    def pass_until(self, done: Callable[[], bool], last_ns: int) -> None:
        """Have things happen until `done`, until that time, or until an error ends the run."""
        heap = self._heap
        while not done() and not self.ending and heap and heap[0][0] <= last_ns:
            self.step()
