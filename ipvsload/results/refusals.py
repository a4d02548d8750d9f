"""Who refused a request: a real server, or the director, which gave it to none.

To a client both are "refused". The director's table tells them apart: a
connection stands in it with its server, or it was given to none, and then the
weights of that moment say why.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipvsload.ipvs.schedulers import refuses_weight_0
from ipvsload.record.format import NO_SERVER, Sample
from ipvsload.record.request_table import RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.results.kernel_counts import readings

REFUSED = "refused"
BY_SERVER = "the server"
"""IPVS gave the connection to a real server, and that refused it."""
BY_WEIGHT_0 = "weight 0"
"""A scheduler that hashes chose a server of weight 0, though others had some."""
BY_NO_SERVER = "no server"
"""IPVS had no server to give it to."""
NOT_KNOWN = "not known"
"""The director was not asked."""


def refused_by(requests: RequestTable, samples: Sequence[Sample]) -> dict[str, Counter[str]]:
    """How many requests of each class were refused, and by whom: one of the words above."""
    texts = requests.texts
    if REFUSED not in texts:
        return {}
    over = _Passing(samples)
    found: dict[str, Counter[str]] = {}
    for block in requests.blocks("traffic", "server", "error", "start_us"):
        refused = block.where(block.error == texts.index(REFUSED))
        passed_over = over.at(refused.start_us)
        for (traffic, at, passed), rows in row_groups(refused.traffic, refused.server, passed_over):
            if texts[at] is None:
                by = NOT_KNOWN
            elif texts[at] != NO_SERVER:
                by = BY_SERVER
            else:
                by = BY_WEIGHT_0 if passed else BY_NO_SERVER
            found.setdefault(texts[traffic] or "", Counter())[by] += len(rows)
    return found


class _Passing:
    """Whether servers with weight may have been passed over for one of weight 0."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        moments = sorted(_passed_over(samples))
        over = np.array([passed for _, passed in moments], bool)
        self._times = np.array([t_us for t_us, _ in moments], np.int64)
        # A weight may have changed between two samples.
        self._over = over | np.append(over[1:], False) if len(over) else over

    def at(self, times_us: NDArray[Any]) -> NDArray[np.bool]:
        """By the last sample before each time, or the first of all, and the next one."""
        if not len(self._over):
            return np.zeros(len(times_us), bool)
        found: NDArray[np.bool] = self._over[
            np.maximum(0, np.searchsorted(self._times, times_us, side="right") - 1)
        ]
        return found


def _passed_over(samples: Sequence[Sample]) -> list[tuple[int, bool]]:
    """For each sample its time, and whether servers with weight may be passed over for one of 0."""
    found = []
    for sample, (t_us, table) in zip(samples, readings(samples), strict=True):
        weights = [server.weight for server in table.values()]
        hashes = any(refuses_weight_0(one.scheduler, one.flags) for one in sample.services)
        found.append((t_us, hashes and 0 in weights and any(weights)))
    return found
