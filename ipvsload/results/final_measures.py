"""The final measures that expectations name, looked up in one run's counts.

A measure without data is None, never 0: "nobody measured it" must not pass for
"it was nothing". `why` puts the difference into words.
"""

from collections.abc import Sequence

from ipvsload.results.kernel_counts import KernelCounts
from ipvsload.results.request_counts import Tally
from ipvsload.scenario.expression import Measure
from ipvsload.statistics.percentiles import percentile


class RunMeasures:
    """One run's final measures.

    `servers` are the addresses in the order of joining; a selector `server=1`
    is the first of them. Latencies are in ms, `share` is between 0 and 1.
    """

    def __init__(self, tally: Tally, kernel: KernelCounts, servers: Sequence[str]) -> None:
        self._tally = tally
        self._kernel = kernel
        self._servers = servers

    def __call__(self, measure: Measure) -> float | None:
        """The value, or None where there are no data."""
        address = None
        if measure.server is not None:
            address = self._address(measure.server)
            if address is None:
                return None
        traffic, tally = measure.class_, self._tally
        match measure.name:
            case "requests":
                return tally.requests(traffic, address)
            case "failures":
                return tally.failures(traffic, address)
            case "share":
                return None if address is None else tally.share(traffic, address)
            case "rps":
                return tally.rps(traffic, address)
            case "conns" | "active_max" | "inactive_max" if traffic is None:
                return self._count(measure.name, address)
            case name if name.startswith("latency_"):
                return latency_ms(tally.latencies(traffic, address), name.removeprefix("latency_"))
        return None

    def why(self, measure: Measure) -> str:
        """Why a measure has no value, for people."""
        if measure.server is not None and self._address(measure.server) is None:
            return f"no server {measure.server} joined"
        if measure.name in ("conns", "active_max", "inactive_max"):
            if measure.class_ is not None:
                return "the kernel does not know classes of traffic"
            return "there are no samples of the kernel's table"
        which = f"{measure.class_} requests" if measure.class_ else "requests"
        if measure.name in ("requests", "share") and any(
            measure.class_ in (None, name) for name in self._tally.unknown
        ):
            return f"the server of some {which} is not known"
        if measure.name == "share" and measure.server is None:
            return "a share needs a server"
        by = f" by server {measure.server}" if measure.server is not None else ""
        return f"no {which} answered{by}"

    def _address(self, number: int) -> str | None:
        return self._servers[number - 1] if 0 < number <= len(self._servers) else None

    def _count(self, name: str, address: str | None) -> int | None:
        kernel = self._kernel
        if kernel.active_max is None:
            return None
        if address is None:
            totals = {
                "conns": kernel.connections,
                "active_max": kernel.active_max,
                "inactive_max": kernel.inactive_max,
            }
            return totals[name]
        server = kernel.servers.get(address)
        if server is None:
            return None
        return server.connections if name == "conns" else int(getattr(server, name))


def latency_ms(ordered_us: Sequence[int], which: str) -> float | None:
    """One figure of latencies in ascending order: p50 and the like, max, mean; in ms."""
    if not ordered_us:
        return None
    match which:
        case "max":
            return ordered_us[-1] / 1000
        case "mean":
            return sum(ordered_us) / len(ordered_us) / 1000
        case _:
            return percentile(ordered_us, float(which.removeprefix("p"))) / 1000
