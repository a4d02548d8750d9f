"""Whether the generator itself was the bottleneck.

A generator that has no time left measures itself: its late starts and late
reads look like the server's latency. Such a run does not count.
"""

import time

import gevent

from ipvsload.load.http_client import HttpClient

WINDOW = 1.0
"""Seconds over which the CPU share is taken."""
CPU_LIMIT = 0.9
"""Locust's own warning level (runners.py, CPU_WARNING_THRESHOLD)."""
LAG_LIMIT_NS = 500_000_000
"""Longest that the loop may be kept from its turn."""
BEAT_NS = 50_000_000
"""How often the loop is asked to be on time."""


class Overload:
    """Watches this process's CPU share and how late the client's timers are."""

    def __init__(self, client: HttpClient) -> None:
        self._timers = client.timers
        self._busiest = 0.0
        self._latest_ns = 0
        self._greenlet = gevent.spawn(self._watch)
        self._beat()

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
        """Stop watching."""
        self._greenlet.kill()

    def _beat(self) -> None:
        self._timers.at(time.monotonic_ns() + BEAT_NS, self._beat)

    def _watch(self) -> None:
        began, used = time.monotonic(), time.process_time()
        while True:
            gevent.sleep(WINDOW)
            now, cpu = time.monotonic(), time.process_time()
            self._busiest = max(self._busiest, (cpu - used) / (now - began))
            began, used = now, cpu
            self._latest_ns = max(self._latest_ns, self._timers.take_lag())
