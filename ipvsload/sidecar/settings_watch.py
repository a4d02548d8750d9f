"""The sidecar's line about what is set on the director: once, and again when it changed.

Persistence, timeouts and sysctls can decide where connections go, instead of
the scheduler. Somebody may set them at any time, also between two runs, so they
are read again each second.
"""

import time
from collections.abc import Callable, Iterator

from ipvsload.ipvs.jiffies import ticks_a_second
from ipvsload.ipvs.settings import read_sysctls
from ipvsload.sidecar.forwardings import read_forwardings
from ipvsload.sidecar.kernel_schedulers import scheduler_states

_EVERY = 1.0


class SettingsWatch:
    """Gives the line {"settings": ..., "t": ns of CLOCK_MONOTONIC} when there is news.

    `timeouts` reads IPVS's timeouts in seconds; it gives {} where they cannot be
    read. The line also has the schedulers of the kernel and how many jiffies make its
    second ("ticks"; 0 where nothing tells it), which do not change. `others`
    are settings of what balances without IPVS; they stand among the sysctls. How
    real servers are reached is in it where some are not masqueraded.
    """

    def __init__(
        self,
        timeouts: Callable[[], dict[str, int]],
        others: Callable[[], dict[str, int | str]] = dict,
    ) -> None:
        self._timeouts, self._others = timeouts, others
        self._schedulers = scheduler_states()
        self._ticks = ticks_a_second()
        self._told: dict[str, object] = {"timeouts": {}, "sysctls": {}, "schedulers": {}}
        self._due = 0.0

    def __call__(self) -> Iterator[dict[str, object]]:
        """The line, if what is set is not what was told last. Looks once a second at most."""
        now = time.monotonic()
        if now < self._due:
            return
        yield from self.anew()

    def anew(self) -> Iterator[dict[str, object]]:
        """The same, looked at now."""
        self._due = time.monotonic() + _EVERY
        settings: dict[str, object] = {
            "timeouts": self._timeouts(),
            "sysctls": read_sysctls() | self._others(),
            "schedulers": self._schedulers,
            "ticks": self._ticks,
        }
        if forwardings := read_forwardings():
            settings["forwardings"] = forwardings
        if settings != self._told:
            self._told = settings
            yield {"settings": settings, "t": time.monotonic_ns()}
