"""What a record says of how a scheduler spread, and of what changes did: one run's figures.

These figures need single connections and samples; a simulation that keeps only sums has none of
them. `measures/record_totals.py` is how expectations ask for them.
"""

from collections.abc import Mapping, Sequence

from ipvsload.record.events import ServerCondition
from ipvsload.record.reader import RecordedRun
from ipvsload.results.change_delays import ChangeResult, change_results
from ipvsload.results.evenness_over_time import (
    EvennessFigures,
    of_active_connections,
    of_utilisation,
)
from ipvsload.results.joined_servers import JoinedServer, joined_servers
from ipvsload.results.kernel_counts import readings
from ipvsload.results.removal_losses import absences, lost_requests
from ipvsload.results.request_counts import RequestCounts
from ipvsload.results.sampling import active_span, period_us
from ipvsload.results.weight_course import WeightCourse
from ipvsload.results.weight_shares import WeightShares
from ipvsload.scenario.model import Scenario

_NOBODY = "no server joined or came back while the timeline was played"


class RecordFigures:
    """The figures of one run. `servers` are addresses in the order of joining."""

    def __init__(
        self,
        run: RecordedRun,
        scenario: Scenario | None,
        requests: RequestCounts,
        servers: Sequence[str],
        lateness_ms: Mapping[str, Mapping[str, float]],
    ) -> None:
        table, sent = list(readings(run.samples)), run.requests
        course = WeightCourse(table)
        span = active_span(run, requests.last_us) or (run.start_us, run.end_us)
        conditions = run.of_type(ServerCondition)
        self.lateness_ms = lateness_ms
        self.active = of_active_connections(table, span, period_us(run))
        self.utilisation: EvennessFigures | None = of_utilisation(run.occupancy, course, span)
        self.shares = WeightShares(sent, course)
        self.changes: tuple[ChangeResult, ...] = change_results(run, scenario)
        self.joined: tuple[JoinedServer, ...] = joined_servers(
            table, course, conditions, self.changes, sent, servers, run.start_us, span
        )
        away = absences(course, conditions)
        self._left = away.keys() if not requests.not_asked else frozenset[str]()
        self._lost = lost_requests(sent, away)

    def weight_departure(self, traffic: str | None, address: str | None) -> float | None:
        """How far a server's share of new connections is from its weight's; or the greatest."""
        return self.shares.departure(traffic, address)

    def lost(self, traffic: str | None = None, address: str | None = None) -> int | None:
        """Lost requests; None where no such server left, or who had failed ones is not known."""
        if not self._left or (address is not None and address not in self._left):
            return None
        return sum(
            n
            for (name, server), n in self._lost.items()
            if traffic in (None, name) and address in (None, server)
        )

    def table_delay(self, server: int | None) -> float | None:
        """The greatest time from a change to its row in the table; None where one never stood."""
        of_it = [one for one in self.changes if server is None or server in one.servers]
        return _greatest([change.table_s for change in of_it])

    def first_request_delay(self, server: int | None) -> float | None:
        """The greatest time until a server that came had a request; None where one had none."""
        return _greatest([one.first_request_s for one in self._came(server)])

    def balance_time(self, server: int | None) -> float | None:
        """The greatest time until a server that came carried its share; None where one did not."""
        return _greatest([one.balance_s for one in self._came(server)])

    def why_no_balance(self, server: int | None) -> str:
        """Why there is no time to balance."""
        found = (f"server {one.number}: {one.why}" for one in self._came(server) if one.why)
        return next(found, _NOBODY)

    def _came(self, server: int | None) -> list[JoinedServer]:
        return [one for one in self.joined if server in (None, one.number)]


def _greatest(times: Sequence[float | None]) -> float | None:
    """None where there are none, or one is not known."""
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None
