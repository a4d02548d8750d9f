"""Whether servers got the share of new connections that their weights ask for.

A connection's fair part for a server is the server's part of all weight at the moment when the
connection was opened; added up over the connections, that is the server's fair share, also where
weights change or servers join. Weights are those of the last sample before (weight_course.py).
"""

from collections import Counter, defaultdict

from ipvsload.record.request_table import RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.results.weight_course import WeightCourse


class WeightShares:
    """The new connections of one run beside the weights. None as class or server means all."""

    def __init__(self, requests: RequestTable, course: WeightCourse) -> None:
        self._given: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
        self._fair: defaultdict[str | None, defaultdict[str, float]]
        self._fair = defaultdict(lambda: defaultdict(float))
        self._unknown: set[str | None] = set()
        opened: Counter[tuple[str, str, int]] = Counter()
        texts = requests.texts
        for block in requests.blocks("traffic", "server", "reused", "port", "start_us"):
            new = block.where(block.opened & ((block.port != 0) | (block.server != 0)))
            places = course.places_at(new.start_us)
            for (of, at, since), rows in row_groups(new.traffic, new.server, places):
                if texts[at] is None:
                    self._unknown |= {texts[of] or "", None}
                elif address := texts[at]:
                    opened[texts[of] or "", address, since] += len(rows)
        in_epoch: Counter[tuple[str, int]] = Counter()
        for (traffic, server, place), many in opened.items():
            in_epoch[traffic, place] += many
            for name in (traffic, None):
                self._given[name][server] += many
        self._known = bool(course.epochs)
        for (traffic, place), many in in_epoch.items() if self._known else ():
            epoch = course.epochs[place]
            for server in epoch.weights:
                for name in (traffic, None):
                    self._fair[name][server] += many * epoch.share(server)
        self._total = {name: given.total() for name, given in self._given.items()}

    def share(self, traffic: str | None, server: str) -> float | None:
        """The server's part of the class's new connections, 0 to 1; None where it is not known."""
        if traffic in self._unknown or traffic not in self._total:
            return None
        return self._given[traffic][server] / self._total[traffic]

    def fair_share(self, traffic: str | None, server: str) -> float | None:
        """The part that its weight asks for; None without connections or samples."""
        if not self._known or traffic not in self._total:
            return None
        return self._fair[traffic][server] / self._total[traffic]

    def departure(self, traffic: str | None, server: str | None) -> float | None:
        """|share - fair share| of a server, or the greatest of all; None where not known."""
        if server is None:
            servers = {*self._given[traffic], *self._fair[traffic]}
            found = [self.departure(traffic, one) for one in servers]
            return max((one for one in found if one is not None), default=None)
        share, fair = self.share(traffic, server), self.fair_share(traffic, server)
        return None if share is None or fair is None else abs(share - fair)
