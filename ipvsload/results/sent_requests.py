"""The requests of one open class in a run, as they were sent: a column of them at a time.

Without what was never sent, as the run's end cut it off, and what was sent a second time, whose
first start is not recorded. Of ten million requests not all columns fit into memory together.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipvsload.record.request_table import RequestColumns, RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.record.values_by_group import OrderedValues, ValuesByGroup

_CUT_OFF = "cut off"


class SentRequests:
    """Those of `traffic`; `begins_us` is when the class was started, ascending, if that is known.

    `len` is their number. All times are in µs.
    """

    def __init__(self, requests: RequestTable, traffic: str, begins_us: Sequence[int]) -> None:
        self._requests = requests
        self._traffic = traffic
        self._told = begins_us
        self._many = sum(len(block.traffic) for block in self._blocks())

    def __len__(self) -> int:
        return self._many

    @cached_property
    def begins_us(self) -> list[int]:
        """When each start of the class was; that of the first request where nobody said it."""
        if self._told:
            return list(self._told)
        return [min(int(block.planned_us.min()) for block in self._blocks("planned_us"))]

    def planned(self) -> list[NDArray[Any]]:
        """When the requests of each start were due, after it, ascending; of those with any."""
        return self._by_start("planned_us")

    def started(self) -> list[NDArray[Any]]:
        """The same of when they were sent."""
        return self._by_start("start_us")

    def lateness(self) -> OrderedValues:
        """How late each was sent, ascending."""
        found: ValuesByGroup[None] = ValuesByGroup()
        for block in self._blocks("planned_us", "start_us"):
            found.add(None, block.start_us - block.planned_us)
        return found.of(None)

    def answer_times(self) -> OrderedValues:
        """From the real start to the answer, of those that were answered, ascending."""
        found: ValuesByGroup[None] = ValuesByGroup()
        for block in self._blocks("planned_us", "start_us", "latency_us", "status"):
            answered = block.where(~block.failed)
            found.add(None, answered.end_us - answered.start_us)
        return found.of(None)

    def latencies(self) -> NDArray[Any]:
        """Of those that were answered, in the order in which they were due."""
        found: ValuesByGroup[str] = ValuesByGroup()
        for block in self._blocks("planned_us", "latency_us", "status"):
            answered = block.where(~block.failed)
            found.add("planned", answered.planned_us - self.begins_us[0])
            found.add("latency", answered.latency_us)
        order = np.argsort(found.as_added("planned"), kind="stable")
        ordered: NDArray[Any] = found.as_added("latency")[order]
        return ordered

    def _by_start(self, column: str) -> list[NDArray[Any]]:
        found: ValuesByGroup[int] = ValuesByGroup()
        begins = self.begins_us
        for block in self._blocks("planned_us", column):
            # A worker's clock may be a little behind: nothing was planned before the first start.
            places = np.maximum(0, np.searchsorted(begins, block.planned_us, side="right") - 1)
            for (place,), rows in row_groups(places):
                found.add(place, getattr(block, column)[rows] - begins[place])
        return [found.of(place).array for place in sorted(found.groups)]

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
