"""The final measures that expectations name, looked up in one run's counts.

A measure without data is None and never 0: "not measured" must not look like
"none". `why` says why there are no data.
"""

from collections.abc import Sequence

from ipvsload.results.kernel_counts import KernelCounts
from ipvsload.results.request_counts import RequestCounts
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import FinalCounts, Measure


class RunMeasures:
    """One run's final measures.

    `servers` are the addresses in the order of joining; a selector `server=1`
    is the first of them.
    """

    def __init__(
        self, requests: RequestCounts, kernel: KernelCounts, servers: Sequence[str]
    ) -> None:
        self._counts = FinalCounts(requests, kernel, kernel.servers)
        self._servers = servers

    def __call__(self, measure: Measure) -> float | None:
        """The value, or None where there are no data."""
        final = MEASURES[measure.name].final
        if final is None or self._absent(measure):
            return None
        address = None if measure.server is None else self._servers[measure.server - 1]
        return final.value(self._counts, measure, address)

    def why(self, measure: Measure) -> str:
        """Why a measure has no value, for people."""
        if self._absent(measure):
            return f"no server {measure.server} joined"
        final = MEASURES[measure.name].final
        return final.why(self._counts, measure) if final else "it is known while the load runs"

    def _absent(self, measure: Measure) -> bool:
        return measure.server is not None and not 0 < measure.server <= len(self._servers)
