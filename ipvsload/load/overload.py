"""Whether the generator itself was the bottleneck.

A generator without time to spare measures itself: what it sends and reads too
late looks like latency of the server. Such a run does not count.
"""

import time

import gevent

from ipvsload.load.http_client import HttpClient

WINDOW = 1.0
"""Seconds over which the CPU share is taken."""
CPU_LIMIT = 0.9
"""Locust's own warning level (runners.py, CPU_WARNING_THRESHOLD)."""
LAG_LIMIT_NS = 500_000_000
"""How late a timer may be called."""
CHECK_NS = 50_000_000
"""How often a timer is set, to see how late it is called."""


class Overload:
    """Measures this process's CPU share and how late the client's timers are called."""

    def __init__(self, client: HttpClient) -> None:
        self._timers = client.timers
        self._busiest = 0.0
        self._latest_ns = 0
        self._greenlet = gevent.spawn(self._watch)
        self._check()

    def reasons(self) -> list[str]:
        """One line for each limit that was passed."""
        self._latest_ns = max(self._latest_ns, self._timers.take_lag())
        found = []
        if self._busiest > CPU_LIMIT:
            found.append(
                f"generator overloaded: {self._busiest:.0%} of a core over {WINDOW:g} s"
                f" (limit {CPU_LIMIT:.0%}); lower the load or spread it"
            )
        if self._latest_ns > LAG_LIMIT_NS:
            found.append(
                f"generator held up for {self._latest_ns / 1e6:.0f} ms"
                f" (limit {LAG_LIMIT_NS / 1e6:.0f} ms); latencies would show it"
            )
        return found

    def close(self) -> None:
        """Stop measuring."""
        self._greenlet.kill()

    def _check(self) -> None:
        self._timers.at(time.monotonic_ns() + CHECK_NS, self._check)

    def _watch(self) -> None:
        began, used = time.monotonic(), time.process_time()
        while True:
            gevent.sleep(WINDOW)
            now, cpu = time.monotonic(), time.process_time()
            self._busiest = max(self._busiest, (cpu - used) / (now - began))
            began, used = now, cpu
