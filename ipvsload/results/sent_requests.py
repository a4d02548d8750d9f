"""The requests of one open class in a run, as they were sent: a column of them at a time.

Without what was never sent, as the run's end cut it off, and what was sent a second time, whose
first start is not recorded. Of ten million requests not all columns fit into memory together.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.request_table import RequestColumns, RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.record.values_by_group import OrderedValues, ValuesByGroup

_CUT_OFF = "cut off"


class SentTimes(NamedTuple):
    """For each start of the class, in µs after it and ascending; only those with requests."""

    planned: list[NDArray[Any]]
    started: list[NDArray[Any]]


class SentWaits(NamedTuple):
    """Times in µs, ascending: `late` from when each was due until it was sent, then `took`."""

    late: OrderedValues
    took: OrderedValues


class SentRequests:
    """Those of `traffic`; `begins_us` is when the class was started, ascending, if that is known.

    `len` is their number. All times are in µs.
    """

    def __init__(self, requests: RequestTable, traffic: str, begins_us: Sequence[int]) -> None:
        self._requests = requests
        self._traffic = traffic
        blocks = self._blocks("planned_us")
        begins = [*begins_us] or [min((int(one.planned_us.min()) for one in blocks), default=0)]
        self._begins_us = np.array(begins, np.int64)
        self._by_start: Counter[int] = Counter()
        for block in self._blocks("planned_us"):
            self._by_start.update({place: len(rows) for place, rows in self._starts(block)})

    def __len__(self) -> int:
        return self._by_start.total()

    def times(self) -> SentTimes:
        """When they were due and when they were sent."""

        def pieces() -> Iterator[tuple[tuple[str, int], NDArray[Any]]]:
            for block in self._blocks("planned_us", "start_us"):
                for place, rows in self._starts(block):
                    yield ("planned", place), block.planned_us[rows] - self._begins_us[place]
                    yield ("started", place), block.start_us[rows] - self._begins_us[place]

        most = {(of, at): n for at, n in self._by_start.items() for of in ("planned", "started")}
        found = ValuesByGroup(pieces, most)
        starts = sorted(self._by_start)
        planned, started = (
            [found.of((of, place)).array for place in starts] for of in ("planned", "started")
        )
        return SentTimes(planned, started)

    def waits(self) -> SentWaits:
        """How late they were sent, and how long answers took from then on."""

        def pieces() -> Iterator[tuple[str, NDArray[Any]]]:
            for block in self._blocks("planned_us", "start_us", "latency_us", "status"):
                yield "late", block.start_us - block.planned_us
                yield "took", (block.end_us - block.start_us)[~block.failed]

        found = ValuesByGroup(pieces, dict.fromkeys(("late", "took"), len(self)))
        return SentWaits(found.of("late"), found.of("took"))

    def latencies(self) -> NDArray[Any]:
        """Of those that were answered, in the order in which they were due."""

        def pieces() -> Iterator[tuple[str, NDArray[Any]]]:
            for block in self._blocks("planned_us", "latency_us", "status"):
                answered = block.where(~block.failed)
                yield "planned", answered.planned_us - self._begins_us[0]
                yield "latency", answered.latency_us

        found = ValuesByGroup(pieces, dict.fromkeys(("planned", "latency"), len(self)))
        order = np.argsort(found.as_they_came("planned"), kind="stable")
        ordered: NDArray[Any] = found.as_they_came("latency")[order]
        return ordered

    def _starts(self, block: RequestColumns) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """The class's starts, by their place, and the places of their requests."""
        # A worker's clock may be a little behind: nothing was planned before the first start.
        places = np.searchsorted(self._begins_us, block.planned_us, side="right") - 1
        for (place,), rows in row_groups(np.maximum(0, places)):
            yield place, rows

    def _blocks(self, *columns: str) -> Iterator[RequestColumns]:
        texts = self._requests.texts
        if self._traffic not in texts:
            return
        cut_off = texts.index(_CUT_OFF) if _CUT_OFF in texts else -1
        for block in self._requests.blocks("traffic", "retried", "port", "error", *columns):
            mine = block.traffic == texts.index(self._traffic)
            sent = mine & (block.retried == 0) & ((block.port != 0) | (block.error != cut_off))
            if sent.any():
                yield block.where(sent)
