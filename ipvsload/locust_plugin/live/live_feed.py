"""The store itself: what came in, and the frame that a viewer needs next."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ipvsload.locust_plugin.live.class_traffic import TrafficInterval
from ipvsload.locust_plugin.live.history import TestHistory
from ipvsload.locust_plugin.live.live_table import LiveTable
from ipvsload.locust_plugin.live.server_registry import ServerRegistry
from ipvsload.record.format import Sample

_TROUBLE = 500


class TableRow(NamedTuple):
    """One real server as the table has it now; `connections` since the test began."""

    number: int
    address: str
    weight: int
    active: int
    inactive: int
    connections: int


class LiveFeed:
    """What the page shows. Times are µs on one clock of this process.

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
        self._clear("", "")

    def begin(
        self, t_us: int, *, title: str, scheduler: str, service: str, classes: Sequence[str]
    ) -> None:
        """A new test: a new epoch, with everything cleared.

        `service` is the key of the virtual service under test, such as
        "tcp 192.0.2.80:81"; "" charts all of them.
        """
        self._epoch += 1
        self._began_us = t_us
        self._clear(service, scheduler)
        self._history = TestHistory(t_us, title, classes, self._stamp)

    def end(self, t_us: int, verdict: str) -> None:
        """The test is over. `verdict`: "" or words, as "held: 7 of 7 expectations"."""
        if self._history:
            self._history.end(t_us, verdict)

    def joined(self, number: int, address: str) -> None:
        """People know this real server by this number."""
        self._roster.joined(number, address)

    def sampled(self, sample: Sample) -> None:
        """The kernel's table, as one node saw it."""
        self._sampled_us = sample.t_us
        history = self._history
        self._table.sampled(sample, history.arrivals if history else None)
        if history:
            history.sampled(sample.t_us, self._table.present())

    def traffic(self, t_us: int, intervals: Mapping[str, TrafficInterval]) -> None:
        """What the load did in a short interval that ended now, by class."""
        if self._history:
            self._history.traffic(t_us, intervals, self._roster)

    def mark(self, t_us: int, text: str) -> None:
        """Something that is to be seen in all charts: a step, a change by hand."""
        if self._history:
            self._history.mark(t_us, text)

    def trouble(self, text: str) -> None:
        """What is wrong with the balancer or its sidecar; "" when nothing is."""
        self._trouble = text[:_TROUBLE]

    def rows(self) -> list[TableRow]:
        """The table as it is now, in the order in which the servers were first seen."""
        return [
            TableRow(m.number, m.address, m.weight or 0, m.active, m.inactive, m.connections)
            for m in self._table.present()
        ]

    def frame(self, now_us: int, epoch: int, after: int) -> dict[str, Any]:
        """`text`, decoded."""
        found: dict[str, Any] = json.loads(self.text(now_us, epoch, after))
        return found

    def text(self, now_us: int, epoch: int, after: int) -> str:
        """What a viewer needs who has seen an epoch up to a stamp, as JSON.

        `full` says that this is everything: so it is for who has seen another
        epoch, or fell too far behind. The viewer's next `after` is `stamp`.
        Times are in ms since the test began. `servers` is there when it
        changed: [ident, number, address, weight or null when it is not in the
        table]; `connections` is ident, count, ident, count, ... since the test
        began; `hidden` counts servers for which there was no room.
        """
        history = self._history
        lost = history.lost if history else 0
        full = epoch != self._epoch or not lost <= after <= self._stamps
        if full:
            after = -1
        members = self._roster.members.values()
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
        return f"{_compact(head)[:-1]},{history.frame(after) if history else _NO_TEST}}}"

    def _clear(self, service: str, scheduler: str) -> None:
        self._stamps = 0
        self._servers_stamp = 0
        self._service = service
        self._scheduler = scheduler
        self._sampled_us = None
        self._history = None
        self._roster = ServerRegistry(self._touch, self._forget)
        self._table = LiveTable(service, self._roster)

    def _stamp(self) -> int:
        self._stamps += 1
        return self._stamps

    def _touch(self) -> None:
        self._servers_stamp = self._stamp()

    def _forget(self, idents: set[int]) -> None:
        if self._history:
            self._history.forget(idents)

    def _since_began(self, t_us: int | None) -> int | None:
        return None if t_us is None else (t_us - self._began_us) // 1000


_compact = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_NO_TEST = '"test":null,"marks":[]'
