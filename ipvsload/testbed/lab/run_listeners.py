"""Which of the lab's real servers listen, and which are not as they began.

Their process (`real_servers.py`) does what it is asked; this knows what it was asked for, so that
each run begins with servers that are well.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.server_conditions import ServerFault
from ipvsload.testbed.lab.limit_orders import limits
from ipvsload.testbed.lab.real_servers_client import RealServersClient

AT_ANY_ADDRESS: Mapping[str, bool] = {"transparent": True}
"""The options of those that answer past the director."""


class RunListeners:
    """The listeners of `servers`, by address:port. Every method raises TestbedError."""

    def __init__(self, servers: RealServersClient) -> None:
        self._servers = servers
        self._listening: set[str] = set()
        self._unwell: set[str] = set()
        self._limited = False

    def listen(self, addresses: Iterable[str], options: Mapping[str, bool]) -> None:
        """Have those listen that do not."""
        for address in addresses:
            if address not in self._listening:
                self._servers.ask("add", address, **options)
                self._listening.add(address)

    def kill(self, addresses: Iterable[str]) -> None:
        """End those that listen."""
        for address in addresses:
            if address in self._listening:
                self._servers.ask("kill", address)
                self._listening.remove(address)

    def mend(self) -> None:
        """Have those that suffer from something begin anew."""
        unwell: Collection[str] = self._unwell & self._listening
        for address in unwell:
            self._servers.ask("restart", address)
        self._unwell.clear()

    def limit(self, addresses: Sequence[str], capacity: Capacity | None) -> None:
        """Give each of them its workers, with nothing to do and all counts 0."""
        if capacity is None and not self._limited:
            return
        self._limited = capacity is not None
        for some, arguments in limits(addresses, capacity):
            self._servers.ask("limit", some, **arguments)

    def fault(self, address: str, fault: ServerFault, options: Mapping[str, bool]) -> None:
        """Do this to one; `options` are those that it listens with."""
        self._unwell.add(address)
        match fault:
            case "kill":
                self.kill([address])
            case "restart":
                self._servers.ask("restart", address, **options)
                self._listening.add(address)
            case _:
                self._servers.ask(fault, address)

    def set_speed(self, address: str, speed: float) -> None:
        """Have one work so many times as fast as usual."""
        self._unwell.add(address)
        self._servers.ask("speed", address, factor=speed)
