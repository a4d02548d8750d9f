"""A run's real servers, as steps and people change them.

The testbed carries changes out and the view knows the numbers; here they are
kept together.
"""

from collections.abc import Callable, Iterable

from ipvsload.errors import UsageError
from ipvsload.experiment.run_state import View
from ipvsload.testbed.base import Testbed


class Servers:
    """Changes servers of `testbed` by their numbers in `view`.

    `joined` is told the number, address and weight of each that joins.
    """

    def __init__(
        self, testbed: Testbed, view: View, joined: Callable[[int, str, int], None]
    ) -> None:
        self._testbed = testbed
        self._view = view
        self._joined = joined

    def have(self, servers: Iterable[tuple[str, int]]) -> None:
        """These addresses, with these weights, stand in the table."""
        for address, weight in servers:
            self._joined(self._view.joined(address), address, weight)

    def scale(self, count: int) -> None:
        """So many servers: new ones join with weight 1, or the newest leave.

        Raises UsageError where there is no room for so many; nothing has changed then.
        """
        view, room = self._view, self._testbed.max_real_servers
        joined = len(view.servers)
        if joined + count - len(view.present) > max(room, joined):
            raise UsageError(
                f"no room for {count} servers: {joined} have joined this test and {room} can ever"
                " join; a test that starts with more has room for more"
            )
        while len(view.present) < count:
            self.have([(self._testbed.add_server(1), 1)])
        while len(view.present) > count:
            self.remove(view.present[-1])

    def reweigh(self, number: int, weight: int) -> None:
        """Another weight; 0 drains."""
        self._testbed.set_weight(self._present(number), weight)

    def remove(self, number: int) -> None:
        """Out of the kernel's table."""
        self._testbed.remove_server(self._present(number))
        self._view.left(number)

    def kill(self, number: int) -> None:
        """Its process dies; the table keeps it."""
        self._testbed.kill_server(self._present(number))

    def _present(self, number: int) -> str:
        if number not in self._view.present:
            known = ", ".join(map(str, self._view.present))
            raise UsageError(f"there is no server {number} now; there are {known or 'none'}")
        return self._view.address(number)
