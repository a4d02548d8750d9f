"""What explanations look at: one run's record, and the counts that are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ipvsload.ipvs.schedulers import SCHEDULERS, Scheduler
from ipvsload.record.events import ServerJoined
from ipvsload.record.reader import RecordedRun
from ipvsload.results.director import DirectorResult
from ipvsload.results.explanations.opened_connections import OpenedConnections
from ipvsload.results.kernel_counts import KernelCounts
from ipvsload.results.request_counts import RequestCounts
from ipvsload.scenario.balancers import find

FEWEST = 10
"""With fewer connections nobody needs to be surprised."""


@dataclass(frozen=True)
class RunEvidence:
    """One run. `refusals` counts refused requests by class and by whom (refusals.py)."""

    run: RecordedRun
    requests: RequestCounts
    kernel: KernelCounts
    director: DirectorResult
    refusals: Mapping[str, Mapping[str, int]]

    @cached_property
    def scheduler(self) -> Scheduler | None:
        """What balanced, as a scheduler; None where there is no table, or where it is not known."""
        name = self.run.scheduler
        if not self.kernel.servers:
            return None
        if self.by_rules:
            balancer = find(name)
            return Scheduler(name, "", choice=balancer.choice, rule=balancer.rule)
        return SCHEDULERS.get(name)

    @cached_property
    def by_rules(self) -> bool:
        """Whether rules of iptables or nftables balanced, and not IPVS."""
        return not find(self.run.scheduler).in_ipvs_table

    @cached_property
    def opened(self) -> OpenedConnections:
        """The connections that were opened, as far as they have a client's address."""
        return OpenedConnections(self.run.requests)

    @cached_property
    def clients(self) -> set[str]:
        """The addresses that connections came from."""
        return self.opened.clients

    @cached_property
    def eligible(self) -> list[str]:
        """The real servers that had a weight at some time of the run."""
        return [address for address, seen in self.kernel.servers.items() if any(seen.weights)]

    @cached_property
    def favourite(self) -> str | None:
        """The one of several servers that got nearly every connection; None where none did.

        Nearly: a hundredth may have gone elsewhere.
        """
        if len(self.opened) < FEWEST or len(self.eligible) < 2 or not self.requests.opened:
            return None
        address, connections = self.requests.opened.most_common(1)[0]
        return address if address and connections >= 0.99 * len(self.opened) else None

    @cached_property
    def joined(self) -> dict[str, ServerJoined]:
        """When each real server joined, by its address."""
        return {event.server: event for event in self.run.of_type(ServerJoined)}

    def name_of(self, address: str) -> str:
        """The server as reports name it: by its number in the order of joining."""
        return f"server {self.joined[address].number}" if address in self.joined else address


def more(anchor: str) -> str:
    """Where to read on; the end of a note."""
    return f"see docs/schedulers.md#{anchor}"
