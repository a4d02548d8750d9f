"""What the page shows, and the frame that a viewer needs next."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ipvsload.locust_plugin.live.class_traffic import TrafficInterval
from ipvsload.locust_plugin.live.history import TestHistory
from ipvsload.locust_plugin.live.live_table import LiveTable
from ipvsload.locust_plugin.live.prediction_basis import NOT_ASKED, PredictionBasis
from ipvsload.locust_plugin.live.server_registry import KnownServer, ServerRegistry
from ipvsload.record.format import OccupancySample, Sample
from ipvsload.scenario.server_conditions import Conditions

if TYPE_CHECKING:  # it imports numpy
    from ipvsload.locust_plugin.live.live_prediction import LivePrediction

_TROUBLE = 500


class TableRow(NamedTuple):
    """One real server as the table has it now.

    `connections` counts since the test began; `conditions` are what it suffers from.
    """

    number: int
    address: str
    weight: int
    active: int
    inactive: int
    connections: int
    conditions: Conditions


class LiveFeed:
    """Takes what happens, and makes frames of it. Times are µs on one clock of this process.

    A test is an epoch. The first one's number is random, so that a page that
    was left open while Locust was started anew does not take another test for
    its own.
    """

    def __init__(self) -> None:
        self._epoch = secrets.randbits(40)
        self._trouble = ""
        self._began_us = 0
        self._sampled_us: int | None = None
        self._history: TestHistory | None = None
        self.labels: dict[str, str] = {}
        """What the service under test is called, by its key."""
        self.prediction: LivePrediction | None = None
        """What the model gives to each server; None where nobody is shown it."""
        self._clear("", "")

    def begin(
        self,
        t_us: int,
        *,
        title: str,
        scheduler: str,
        service: str,
        classes: Sequence[str],
        label: str = "",
        basis: PredictionBasis = NOT_ASKED,
    ) -> None:
        """Begin a new test: a new epoch, with everything cleared.

        `label` is what the scenario calls what is run; without one it is the scheduler.
        `service` is the key of the virtual service under test, such as
        "tcp 192.0.2.80:81"; "" charts all of them. A prediction stands on `basis`.
        """
        self._epoch += 1
        self._began_us = t_us
        self._clear(service, scheduler)
        self.labels = {service: label or scheduler}
        named = f"{title} · {label}" if label not in ("", scheduler) else title
        self._history = TestHistory(t_us, named, classes, self._stamp)
        if self.prediction:
            self.prediction.begin(basis, service)

    def end(self, t_us: int, verdict: str) -> None:
        """End the test. `verdict` is "" or words, such as "held: 7 of 7 expectations"."""
        if self._history:
            self._history.end(t_us, verdict)

    def joined(self, number: int, address: str, weight: int) -> None:
        """Give a real server that joins the table the number that people know it by."""
        self._registry.joined(number, address)
        if self.prediction:
            self.prediction.joined(address, weight)

    def suffers(self, t_us: int, address: str, conditions: Conditions) -> None:
        """Say what a real server suffers from since this time; none: it is well."""
        self._registry.suffers(address, conditions, t_us)

    def sampled(self, sample: Sample) -> None:
        """Take the kernel's table, as one node saw it."""
        self._sampled_us = sample.t_us
        history = self._history
        self._table.sampled(sample, history.connection_rate if history else None)
        if history:
            history.sampled(sample.t_us, self._table.present())
        if self.prediction and self._service:
            found = next((one for one in sample.services if one.key == self._service), None)
            if found:
                self.prediction.sampled(sample.node, sample.t_us, found)
            else:
                self.prediction.gone(sample.node)

    def occupied(self, sample: OccupancySample) -> None:
        """Take what servers say of themselves; those that are in the table count."""
        if self._history:
            known = self._registry.servers
            self._history.occupied(
                sample.t_us,
                {
                    known[server.address].ident: (server.busy, server.queued)
                    for server in sample.servers
                    if server.address in known and known[server.address].nodes
                },
            )

    def traffic(self, t_us: int, intervals: Mapping[str, TrafficInterval]) -> None:
        """Take what the load did, by class, in a short interval that ended now."""
        if self._history:
            self._history.traffic(t_us, intervals, self._registry)

    def mark(self, t_us: int, text: str) -> None:
        """Mark something in all charts: a step, or a change that a person made."""
        if self._history:
            self._history.mark(t_us, text)

    def trouble(self, text: str) -> None:
        """Say what is wrong with the balancer or its sidecar; "" when nothing is."""
        self._trouble = text[:_TROUBLE]

    def rows(self) -> list[TableRow]:
        """Return the table as it is now, in the order in which the servers were first seen."""
        return [
            TableRow(
                m.number,
                m.address,
                m.weight or 0,
                m.active,
                m.inactive,
                m.connections,
                m.conditions,
            )
            for m in self._table.present()
        ]

    def text(self, now_us: int, epoch: int, after: int) -> str:
        """Return what a viewer needs who has seen an epoch up to a stamp, as JSON.

        `full` says that this is everything: a viewer who has seen another epoch,
        or is too far behind, gets that. The viewer's next `after` is `stamp`.
        Times are in ms since the test began. `servers` is there when it
        changed: [ident, number, address, weight or null when it is not in the
        table], and `conditions` with it, what some of them suffer from, by ident;
        `spells` has the times in which they were in some state: [state, since, until or null]
        of each, by ident.
        `connections` is ident, count, ident, count, ... since the test
        began; `hidden` counts servers for which there was no room. `prediction` is there when
        it changed: `servers` is [ident, mean, least, most] of each, and `why` says why there
        is none.
        """
        history = self._history
        dropped = history.dropped if history else 0
        full = epoch != self._epoch or not dropped <= after <= self._stamps
        if full:
            after = -1
        members = self._registry.servers.values()
        head: dict[str, Any] = {
            "epoch": self._epoch,
            "stamp": self._stamps,
            "full": full,
            "now": (now_us - self._began_us) // 1000,
            "sampled": self._since_began(self._sampled_us),
            "trouble": self._trouble,
            "service": self._service,
            "scheduler": self._table.scheduler or self._scheduler,
            "hidden": self._table.hidden,
            "connections": [n for m in members if m.connections for n in (m.ident, m.connections)],
        }
        if self._servers_stamp > after:
            head["servers"] = [[m.ident, m.number, m.address, m.weight] for m in members]
            # Pages of an earlier version want the conditions by themselves.
            head["conditions"] = {m.ident: list(m.conditions) for m in members if m.conditions}
            head["spells"] = {m.ident: self._spells(m) for m in members if m.spells}
        if self.prediction and self._prediction_stamp > after:
            head["prediction"] = self._foretold(self.prediction)
        return f"{_compact(head)[:-1]},{history.frame(after) if history else _NO_TEST}}}"

    def _clear(self, service: str, scheduler: str) -> None:
        self._stamps = 0
        self._servers_stamp = self._prediction_stamp = 0
        self._service = service
        self._scheduler = scheduler
        self._sampled_us = None
        self._history = None
        self._registry = ServerRegistry(self._servers_changed, self._drop)
        self._table = LiveTable(service, self._registry)

    def _stamp(self) -> int:
        self._stamps += 1
        return self._stamps

    def _servers_changed(self) -> None:
        self._servers_stamp = self._stamp()

    def prediction_changed(self) -> None:
        """The prediction has."""
        self._prediction_stamp = self._stamp()

    def _spells(self, server: KnownServer) -> list[list[str | int | None]]:
        return [
            [one.state, self._since_began(one.since_us), self._since_began(one.until_us)]
            for one in server.spells
        ]

    def _foretold(self, prediction: "LivePrediction") -> dict[str, Any]:
        known = self._registry.servers
        return {
            "why": prediction.why,
            "draws": prediction.draws,
            "servers": [
                [known[address].ident, round(count.mean, 1), count.least, count.most]
                for address, count in prediction.servers.items()
                if address in known
            ],
        }

    def _drop(self, idents: set[int]) -> None:
        if self._history:
            self._history.drop(idents)

    def _since_began(self, t_us: int | None) -> int | None:
        return None if t_us is None else (t_us - self._began_us) // 1000


_compact = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_NO_TEST = '"test":null,"marks":[]'
