"""The directors of a simulated run: as many tables as there are, changed alike, each on its own.

A director knows the connections that go through it, and no other.
"""

from bisect import bisect_right
from collections.abc import Sequence
from random import Random

from ipvsload.ipvs.schedulers import PERSISTENT, SCHEDULERS, flag_bits
from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings


class ModelDirectors:
    """`ports` has for each director the client ports whose connections go through it.

    What they leave to chance is drawn by `seed`. `balancer` is the name that their tables show.
    """

    def __init__(
        self, balancer: str, settings: ServiceSettings, ports: Sequence[range], seed: str
    ) -> None:
        self.balancer = balancer
        self.tables = [
            DirectorModel(settings._replace(draw=Random(f"{seed}/{number}").random))
            for number in range(len(ports))
        ]
        self._settings = settings
        self._firsts = [one.start for one in ports]
        self._conns: list[list[int]] = [[] for _ in ports]
        self._present: dict[int, str] = {}

    def through(self, port: int) -> int:
        """Which director, counted from 0, a connection from this port goes through."""
        return bisect_right(self._firsts, port) - 1

    def join(self, address: str, weight: int) -> int:
        """A server joins all tables. Returns its number, counted from 0."""
        number = 0
        for table, conns in zip(self.tables, self._conns, strict=True):
            number = table.join(address, weight)
            conns.append(0)
        self._present[number] = address
        return number

    def leave(self, number: int, now_ns: int) -> None:
        """A server leaves all tables."""
        del self._present[number]
        for table in self.tables:
            table.leave(number, now_ns)

    def set_weight(self, number: int, weight: int) -> None:
        """A server has another weight from now on."""
        for table in self.tables:
            table.set_weight(number, weight)

    def set_scheduler(self, name: str) -> None:
        """All have another scheduler from now on; flags that it does not know do nothing."""
        self.balancer = name
        known = {flag for flag, _ in SCHEDULERS[name].flags}
        for table in self.tables:
            table.set_scheduler(name, self._settings.flags & known)

    def counted(self, director: int, number: int) -> None:
        """A connection through a director was given to a server."""
        self._conns[director][number] += 1

    def service(self, director: int, key: str, now_ns: int) -> VirtualService:
        """The table of a director as its kernel would show it."""
        table, conns = self.tables[director], self._conns[director]
        table.expire(now_ns)
        servers = table.servers
        # The newest is first there.
        counts = zip(
            servers.weights[::-1].tolist(),
            servers.active[::-1].tolist(),
            servers.inactive[::-1].tolist(),
            strict=True,
        )
        every = [(*count, 0, made, 0, 0, 0, 0) for count, made in zip(counts, conns, strict=True)]
        rows = tuple(
            [RealServer(address, *every[number]) for number, address in self._present.items()]
        )
        flags = 0
        if self.balancer in SCHEDULERS:
            known = {flag for flag, _ in SCHEDULERS[self.balancer].flags}
            flags = flag_bits(self.balancer, self._settings.flags & known)
        if self._settings.persistence:
            flags |= PERSISTENT
        made = sum(row.conns for row in rows)
        return VirtualService(
            key, self.balancer, flags, self._settings.persistence, made, 0, 0, 0, 0, rows
        )
