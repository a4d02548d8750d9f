"""Persistence templates: a client's network keeps its server for a while.

A template is an entry beside the connections, which are its own: it stays while it has any, and
for the timeout after the last new one (net/netfilter/ipvs/ip_vs_core.c, ip_vs_sched_persist).
"""

from collections import OrderedDict
from ipaddress import ip_network

from ipvsload.ipvs_model.timer_wheel import NEVER, SECOND_NS, TimerWheel

_AGAIN_S = 60
"""ip_vs_conn_expire: one that still has connections is looked at again after so long, and from
then on this is its timeout."""


class Template:
    """One network's server; `connections` that are its own are still remembered."""

    __slots__ = ("connections", "due", "network", "number", "timeout")

    def __init__(self, network: str, number: int, timeout: int) -> None:
        self.network = network
        self.number = number
        self.timeout = timeout
        self.connections = 0
        self.due = 0


class PersistenceTemplates:
    """The templates of one service: `timeout` in seconds, `netmask` in leading bits."""

    def __init__(self, timeout: int, netmask: int | None, wheel: TimerWheel) -> None:
        self._timeout = timeout
        self._netmask = netmask
        self._wheel = wheel
        self._networks: dict[str, str] = {}
        self._by_network: dict[str, Template] = {}
        # Each timeout has a queue of its own, in which whoever began first is due first.
        self._queues: dict[int, OrderedDict[Template, None]] = {}

    def __len__(self) -> int:
        return len(self._by_network)

    def find(self, address: str) -> Template | None:
        """The template of this client's network."""
        return self._by_network.get(self._network(address))

    def use(self, address: str, number: int, now_ns: int) -> Template:
        """A new connection of this client went to this server; the template, made if need be."""
        network = self._network(address)
        template = self._by_network.get(network)
        if template is None or template.number != number:
            # An old one that is not valid any more stays until its connections are gone; nobody
            # finds it (ip_vs_check_template).
            template = self._by_network[network] = Template(network, number, self._timeout)
        else:
            self._queues[template.timeout].pop(template, None)
        template.connections += 1
        self._start(template, now_ns)
        return template

    def hand_over(self, earlier: int, number: int) -> None:
        """A server that had left is there again, with another number."""
        for template in self._by_network.values():
            if template.number == earlier:
                template.number = number

    @property
    def next_due(self) -> int:
        """When (ns) the first template times out, or would if it had no connections."""
        return min(
            (next(iter(queue)).due for queue in self._queues.values() if queue), default=NEVER
        )

    def expire(self, now_ns: int) -> None:
        """Drop what has timed out. Connections that end before must have ended."""
        for queue in tuple(self._queues.values()):
            while queue and (template := next(iter(queue))).due <= now_ns:
                del queue[template]
                if template.connections:
                    template.timeout = _AGAIN_S
                    self._start(template, template.due)
                elif self._by_network.get(template.network) is template:
                    del self._by_network[template.network]

    def _start(self, template: Template, now_ns: int) -> None:
        ticks, shift = self._wheel.rounding(template.timeout * SECOND_NS)
        template.due = self._wheel.fires(now_ns, ticks, shift)
        self._queues.setdefault(template.timeout, OrderedDict())[template] = None

    def _network(self, address: str) -> str:
        if self._netmask is None:
            return address
        if (network := self._networks.get(address)) is None:
            whole = ip_network(f"{address}/{self._netmask}", strict=False)
            network = self._networks[address] = str(whole.network_address)
        return network
