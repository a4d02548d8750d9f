"""One virtual service on one director: which server each connection gets, and what is counted.

A connection is an entry, from its SYN until it has been silent for its state's timeout
(net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook; ip_vs_conn.c). A replay tells it what was
measured, a simulation what it chose.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ipvsload.ipvs.forwarding import FORWARDINGS, MASQUERADING
from ipvsload.ipvs.sysctls import DECIDING_SYSCTLS
from ipvsload.ipvs_model.persistence_templates import PersistenceTemplates, Template
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings, SchedulerRule
from ipvsload.ipvs_model.server_list import ServerList
from ipvsload.ipvs_model.tcp_states import (
    ACTIVE,
    BOTH_SEEN,
    CLIENT_SEEN,
    Side,
    TcpFlag,
    TcpState,
    TcpTimeouts,
)
from ipvsload.ipvs_model.timer_wheel import NEVER, SECOND_NS, TimerWheel


class ServiceSettings(NamedTuple):
    """What is set of the service, and of its director.

    `destination` is the virtual address. `flags`, `lc_law` and `draw` are the rule's, as
    `RuleSettings` has them. `forwarding` is one of ipvs/forwarding.py. `persistence` is in seconds,
    0 without; `netmask` is how many leading bits of a client's address count for it. `sysctls`
    are by name, those that are missing as the kernel has them. `hz` is the kernel's ticks a
    second, in which timers are counted.
    """

    scheduler: str
    destination: str
    flags: frozenset[str] = frozenset()
    lc_law: int = 256
    forwarding: str = MASQUERADING
    persistence: int = 0
    netmask: int | None = None
    timeouts: TcpTimeouts = TcpTimeouts()
    sysctls: Mapping[str, int] = DECIDING_SYSCTLS
    hz: int = 250
    draw: Callable[[], float] | None = None


class _Remembered:
    __slots__ = ("active", "due", "number", "queue", "state", "template")

    def __init__(self, number: int, template: Template | None) -> None:
        self.number = number
        self.template = template
        self.state = 0
        self.active = False
        self.due = 0
        self.queue: _SilentFor | None = None


class _SilentFor:
    """Entries with one timeout: whoever was silent for longest is due first."""

    __slots__ = ("entries", "shift", "ticks")

    def __init__(self, ticks: int, shift: int) -> None:
        self.ticks, self.shift = ticks, shift
        self.entries: OrderedDict[_Remembered, Client] = OrderedDict()


class DirectorModel:
    """The service's servers with their counts, its rule, and the connections that it remembers.

    Times are ns on any clock; they never go back. Servers are numbers, as `ServerList` has them.
    Raises KeyError for a scheduler or a way of forwarding that there is not.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.servers = ServerList()
        self.rule: SchedulerRule
        self.set_scheduler(settings.scheduler, settings.flags)
        self._direct = FORWARDINGS[settings.forwarding].direct
        self._next_states = CLIENT_SEEN if self._direct else BOTH_SEEN
        self._sysctls = {**DECIDING_SYSCTLS, **settings.sysctls}
        self._wheel = TimerWheel(settings.hz)
        self._templates: PersistenceTemplates | None = None
        if settings.persistence:
            self._templates = PersistenceTemplates(
                settings.persistence, settings.netmask, self._wheel
            )
        self._entries: dict[Client, _Remembered] = {}
        self._queues: dict[int, _SilentFor] = {}
        self._queue_of: list[_SilentFor] = []
        self._replaced = _SilentFor(0, 0)
        self._next_due = NEVER
        self.set_timeouts(settings.timeouts)

    def __len__(self) -> int:
        """How many connections are remembered, but for those that a later one has replaced."""
        return len(self._entries)

    def join(self, address: str, weight: int) -> int:
        """A server is added. Returns its number."""
        number = self.servers.join(address, weight)
        self.rule.changed()
        return number

    def set_weight(self, number: int, weight: int) -> None:
        """A server has another weight from now on."""
        self.servers.set_weight(number, weight)
        self.rule.changed()

    def leave(self, number: int) -> None:
        """A server is removed. Its connections stay, but their clients' packets are dropped."""
        self.servers.leave(number)
        self.rule.changed()

    def set_scheduler(self, name: str, flags: frozenset[str] = frozenset()) -> None:
        """Another scheduler from now on; it begins anew, and connections are as they were."""
        own = self.settings
        self.rule = RULES[name](
            self.servers, RuleSettings(own.destination, flags, own.lc_law, own.draw)
        )
        self.rule.changed()

    def set_timeouts(self, timeouts: TcpTimeouts) -> None:
        """Other timeouts from now on; a connection has its own until its next packet."""
        self._queue_of = [self._queue(seconds * SECOND_NS) for seconds in timeouts]

    def choose(self, client: Client, now_ns: int) -> int | None:
        """The server that a SYN of this client goes to now; None: to none.

        That of its template or of the same connection, else the rule's. No counts are changed.
        """
        self.expire(now_ns)
        entry = self._entries.get(client)
        if entry is not None and not self._given_up(entry):
            if self.servers.present[self.servers.place(entry.number)]:
                return entry.number
            if not self._sysctls["expire_nodest_conn"]:
                return None
        if self._templates is not None:
            template = self._templates.find(client.address)
            if template is not None and self._valid(template):
                return template.number
        return self.rule.choose(client)

    def opened(self, client: Client, number: int, now_ns: int, *, answered: bool = True) -> None:
        """A SYN of this client went to this server, which answered it unless you say that not."""
        self.expire(now_ns)
        entry = self._entries.get(client)
        if entry is not None and (entry.number != number or self._given_up(entry)):
            self._replace(entry, now_ns)
            entry = None
        if entry is None:
            template = None
            if self._templates is not None:
                template = self._templates.use(client.address, number, now_ns)
            entry = self._entries[client] = _Remembered(number, template)
            self.servers.inactive[self.servers.place(number)] += 1
        state = self._next_states[0][TcpFlag.SYN][entry.state]
        if answered:
            state = self._next_states[0][TcpFlag.ACK][state]
        self._move(client, entry, state, now_ns)

    def closing(self, client: Client, side: Side, now_ns: int) -> None:
        """A FIN of this side."""
        self._packet(client, side, TcpFlag.FIN, now_ns)

    def reset(self, client: Client, side: Side, now_ns: int) -> None:
        """A RST of this side."""
        self._packet(client, side, TcpFlag.RST, now_ns)

    def heard(self, client: Client, side: Side, now_ns: int) -> None:
        """Any other packet of this side: its connection is remembered from now on."""
        self._packet(client, side, TcpFlag.ACK, now_ns)

    def expire(self, now_ns: int) -> None:
        """Forget what has timed out."""
        if self._templates is not None:
            while (due := self._templates.next_due) <= now_ns:
                self._expire_connections(due)
                self._templates.expire(due)
        if self._next_due <= now_ns:
            self._expire_connections(now_ns)

    def _packet(self, client: Client, side: Side, flag: TcpFlag, now_ns: int) -> None:
        self.expire(now_ns)
        if side and self._direct:
            return
        entry = self._entries.get(client)
        if entry is None:
            return
        if not side and not self.servers.present[self.servers.place(entry.number)]:
            if self._sysctls["expire_nodest_conn"]:
                self._replace(entry, now_ns)
                del self._entries[client]
            return
        self._move(client, entry, self._next_states[side][flag][entry.state], now_ns)

    def _move(self, client: Client, entry: _Remembered, state: int, now_ns: int) -> None:
        entry.state = state
        if ACTIVE[state] != entry.active:
            entry.active = not entry.active
            servers = self.servers
            place = servers.place(entry.number)
            by = 1 if entry.active else -1
            servers.active[place] += by
            servers.inactive[place] -= by
            self.rule.counted(entry.number)
        if entry.queue is not None:
            del entry.queue.entries[entry]
        queue = entry.queue = self._queue_of[state]
        entry.due = due = self._wheel.fires(now_ns, queue.ticks, queue.shift)
        queue.entries[entry] = client
        if due < self._next_due:
            self._next_due = due

    def _replace(self, entry: _Remembered, now_ns: int) -> None:
        # It counts until the next tick, so the one that comes in its place is chosen with it
        # (ip_vs_conn_expire_now).
        assert entry.queue is not None
        client = entry.queue.entries.pop(entry)
        entry.queue = self._replaced
        entry.due = self._wheel.fires(now_ns, 0, 0)
        self._replaced.entries[entry] = client
        self._next_due = min(self._next_due, entry.due)

    def _given_up(self, entry: _Remembered) -> bool:
        """Whether a SYN begins another connection, which is_new_conn_expected decides."""
        if entry.template is not None:
            return False
        if (
            self._sysctls["expire_nodest_conn"]
            and not self.servers.weights[self.servers.place(entry.number)]
        ):
            return True
        mode = self._sysctls["conn_reuse_mode"]
        if not mode:
            return False
        if entry.state in (TcpState.TIME_WAIT, TcpState.CLOSE):
            return True
        return bool(mode & 2) and self._direct and entry.state == TcpState.FIN_WAIT

    def _valid(self, template: Template) -> bool:
        """ip_vs_check_template."""
        place = self.servers.place(template.number)
        if not self.servers.present[place]:
            return False
        return bool(self.servers.weights[place] or not self._sysctls["expire_quiescent_template"])

    def _queue(self, timeout_ns: int) -> _SilentFor:
        if (queue := self._queues.get(timeout_ns)) is None:
            queue = self._queues[timeout_ns] = _SilentFor(*self._wheel.rounding(timeout_ns))
        return queue

    def _expire_connections(self, now_ns: int) -> None:
        first = NEVER
        for queue in (self._replaced, *self._queues.values()):
            entries = queue.entries
            while entries:
                entry = next(iter(entries))
                if entry.due > now_ns:
                    first = min(first, entry.due)
                    break
                client = entries.pop(entry)
                self._forget(client, entry)
        self._next_due = first

    def _forget(self, client: Client, entry: _Remembered) -> None:
        servers = self.servers
        place = servers.place(entry.number)
        if entry.active:
            servers.active[place] -= 1
        else:
            servers.inactive[place] -= 1
        self.rule.counted(entry.number)
        if entry.template is not None:
            entry.template.connections -= 1
        if self._entries.get(client) is entry:
            del self._entries[client]
