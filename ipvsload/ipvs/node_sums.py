"""Real servers summed over nodes, as each node was last seen.

Each node tells of itself only, ten times a second. Adding all of them up at each
telling would cost the square of their number, so only what changed is added.
"""

from operator import add, sub

from ipvsload.ipvs.table import RealServer

_NOTHING = RealServer("", *[0] * (len(RealServer._fields) - 1))


class NodeSums:
    """The sums; a server's weight is that of the first node that has it."""

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, RealServer]] = {}
        self.servers: dict[str, RealServer] = {}
        """By address; another object after each change."""

    def update(self, node: str, table: dict[str, RealServer]) -> None:
        """The node's real servers by address, as they are now."""
        before = self._nodes.get(node, {})
        self._nodes[node] = table
        if len(self._nodes) == 1:
            self.servers = table
            return
        whole = dict(self.servers)
        for address in dict.fromkeys((*before, *table)):
            having = next((one[address] for one in self._nodes.values() if address in one), None)
            if having is None:
                del whole[address]
            else:
                old, new = before.get(address, _NOTHING), table.get(address, _NOTHING)
                sums = map(add, map(sub, whole.get(address, _NOTHING)[2:], old[2:]), new[2:])
                whole[address] = RealServer(address, having.weight, *sums)
        self.servers = whole

    def forget(self, node: str) -> None:
        """It is no longer one of them."""
        self.update(node, {})
        del self._nodes[node]
