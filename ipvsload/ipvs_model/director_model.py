"""One virtual service on one director: which server each connection gets, and what is counted.

A connection is an entry, from its SYN until it has been silent for its state's timeout
(net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook; ip_vs_conn.c). A replay tells it what was
measured, a simulation what it chose.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ipvsload.ipvs.forwarding import FORWARDINGS, MASQUERADING
from ipvsload.ipvs.lc_laws import USUAL_LC_LAW
from ipvsload.ipvs.schedulers import flag_bits, flag_names
from ipvsload.ipvs.sysctls import DECIDING_SYSCTLS
from ipvsload.ipvs_model.persistence_templates import PersistenceTemplates, Template
from ipvsload.ipvs_model.remembered_connections import RememberedConnection, TimeoutQueue
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
from ipvsload.ipvs_model.timer_wheel import JIFFIES_BEGAN_NS, NEVER, SECOND_NS, TimerWheel


class ServiceSettings(NamedTuple):
    """What is set of the service, and of its director.

    `destination` is the virtual address. `flags`, `lc_law` and `draw` are the rule's, as
    `RuleSettings` has them. `forwarding` is one of ipvs/forwarding.py. `persistence` is in seconds,
    0 without; `netmask` is how many leading bits of a client's address count for it. `sysctls`
    are by name, those that are missing as the kernel has them. `hz` is the kernel's ticks a
    second, in which timers are counted, and `booted_ns` when it was started, on the clock of the
    model's times.
    """

    scheduler: str
    destination: str
    flags: frozenset[str] = frozenset()
    lc_law: int = USUAL_LC_LAW
    forwarding: str = MASQUERADING
    persistence: int = 0
    netmask: int | None = None
    timeouts: TcpTimeouts = TcpTimeouts()
    sysctls: Mapping[str, int] = DECIDING_SYSCTLS
    hz: int = 250
    booted_ns: int = JIFFIES_BEGAN_NS
    draw: Callable[[], float] | None = None


class DirectorModel:
    """The service's servers with their counts, its rule, and the connections that it remembers.

    Times are ns on any clock; they never go back. Servers are numbers, as `ServerList` has them.
    Raises KeyError for a scheduler or a way of forwarding that there is not.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.servers = ServerList()
        self._newest = -1
        self._active, self._inactive = self.servers.active.data, self.servers.inactive.data
        self.rule: SchedulerRule
        self._flag_bits = 0
        self.set_scheduler(settings.scheduler, settings.flags)
        self._direct = FORWARDINGS[settings.forwarding].direct
        next_states = CLIENT_SEEN if self._direct else BOTH_SEEN
        # By side and state. Looked up once, because a member of an enumeration is slow to find.
        self._after_fin, self._after_ack, self._after_rst = (
            [rows[flag] for rows in next_states] for flag in (TcpFlag.FIN, TcpFlag.ACK, TcpFlag.RST)
        )
        self._after_syn = next_states[Side.CLIENT][TcpFlag.SYN]
        self._after_answer = [self._after_ack[Side.CLIENT][state] for state in self._after_syn]
        self._sysctls = {**DECIDING_SYSCTLS, **settings.sysctls}
        self._wheel = TimerWheel(settings.hz, settings.booted_ns)
        self._templates: PersistenceTemplates | None = None
        if settings.persistence:
            self._templates = PersistenceTemplates(
                settings.persistence, settings.netmask, self._wheel
            )
        self._left: dict[str, int] = {}
        self._entries: dict[Client, RememberedConnection] = {}
        self._queues: dict[int, TimeoutQueue] = {}
        self._queue_of: list[TimeoutQueue] = []
        self._replaced = TimeoutQueue(0, 0)
        self._next_due = NEVER
        self.set_timeouts(settings.timeouts)

    def __len__(self) -> int:
        """How many connections are remembered, but for those that a later one has replaced."""
        return len(self._entries)

    def join(self, address: str, weight: int) -> int:
        """A server is added. Returns its number.

        One that has left and comes again has the connections that it had (ip_vs_trash_get_dest).
        """
        number = self.servers.join(address, weight)
        self._newest = number
        # Single numbers are read and written twice as fast in a memoryview.
        self._active, self._inactive = self.servers.active.data, self.servers.inactive.data
        if (earlier := self._left.pop(address, None)) is not None:
            self._hand_over(earlier, number)
        self.rule.changed()
        return number

    def enter(self, number: int, weight: int) -> bool:
        """A server that has its number already comes into the list, or has another weight.

        As `join`, for whoever gives all numbers beforehand. Returns whether it had connections
        to take over from the number that it had until it left.
        """
        place = self.servers.place(number)
        came = not self.servers.present[place]
        self.servers.present[place] = 1
        self.set_weight(number, weight)
        earlier = self._left.pop(self.servers.addresses[number], number) if came else number
        if earlier != number:
            self._hand_over(earlier, number)
        return earlier != number

    def set_weight(self, number: int, weight: int) -> None:
        """A server has another weight from now on."""
        self.servers.set_weight(number, weight)
        self.rule.changed()

    def leave(self, number: int, now_ns: int) -> None:
        """A server is removed. Its connections stay, but their clients' packets are dropped.

        With expire_nodest_conn they are forgotten (ip_vs_conn.c, ip_vs_expire_nodest_conn_flush,
        since Linux 5.9).
        """
        self.servers.leave(number)
        self._left[self.servers.addresses[number]] = number
        self.rule.changed()
        if self._sysctls["expire_nodest_conn"]:
            for entry in [one for one in self._entries.values() if one.number == number]:
                self._replace(entry, now_ns)
                del self._entries[entry.client]

    def set_scheduler(self, name: str, flags: frozenset[str] | None = None) -> None:
        """Another scheduler from now on; it begins anew, and connections are as they were.

        Without `flags` the service keeps the bits that it has, and those of one scheduler mean
        something to another: sh-port becomes mh-port.
        """
        if flags is None:
            flags = frozenset(flag_names(name, self._flag_bits))
        else:
            self._flag_bits = flag_bits(name, flags) if flags else 0
        own = self.settings
        self.rule = RULES[name](
            self.servers, RuleSettings(own.destination, flags, own.lc_law, own.draw)
        )

    def set_timeouts(self, timeouts: TcpTimeouts) -> None:
        """Other timeouts from now on; a connection has its own until its next packet."""
        self._queue_of = [self._queue(seconds * SECOND_NS) for seconds in timeouts]

    def choose(self, client: Client, now_ns: int) -> int | None:
        """The server that a SYN of this client goes to now; None: to none.

        That of its template or of the same connection, else the rule's. No counts are changed.
        """
        if now_ns >= self._next_due:
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

    def opened(self, client: Client, number: int, now_ns: int, *, answered: bool = True) -> bool:
        """A SYN of this client went to this server, which answered it unless you say that not.

        Returns whether it is a new connection to the kernel, which counts those only
        (ip_vs_conn_stats), and not a packet of one that it remembers.
        """
        if now_ns >= self._next_due:
            self.expire(now_ns)
        entry = self._entries.get(client)
        if entry is not None and (entry.number != number or self._given_up(entry)):
            self._replace(entry, now_ns)
            entry = None
        made = entry is None
        if entry is None:
            template = None
            if self._templates is not None:
                template = self._templates.use(client.address, number, now_ns)
                self._next_due = min(self._next_due, template.due)
            entry = self._entries[client] = RememberedConnection(client, number, template)
            self._inactive[self._newest - number] += 1
        after = self._after_answer if answered else self._after_syn
        self._move(entry, after[entry.state], now_ns)
        return made

    def closing(self, client: Client, side: Side, now_ns: int) -> None:
        """A FIN of this side."""
        self._packet(client, side, self._after_fin, now_ns)

    def reset(self, client: Client, side: Side, now_ns: int) -> None:
        """A RST of this side."""
        self._packet(client, side, self._after_rst, now_ns)

    def heard(self, client: Client, side: Side, now_ns: int) -> None:
        """Any other packet of this side: its connection is remembered from now on."""
        self._packet(client, side, self._after_ack, now_ns)

    def remembers(self, client: Client, now_ns: int) -> bool:
        """Whether a packet of this client's connection would be known as one."""
        self.expire(now_ns)
        return client in self._entries

    def expire(self, now_ns: int) -> None:
        """Forget what has timed out."""
        if now_ns < self._next_due:
            return
        if self._templates is None:
            self._next_due = self._expire_connections(now_ns)
            return
        while (due := self._templates.next_due) <= now_ns:
            self._expire_connections(due)
            self._templates.expire(due)
        self._next_due = min(due, self._expire_connections(now_ns))

    def _hand_over(self, earlier: int, number: int) -> None:
        was, now = self.servers.place(earlier), self.servers.place(number)
        for counts in (self.servers.active, self.servers.inactive):
            counts[now], counts[was] = counts[was], 0
        for queue in (self._replaced, *self._queues.values()):
            for _, bucket in queue.buckets:
                for entry in bucket:
                    if entry.number == earlier:
                        entry.number = number
        if self._templates is not None:
            self._templates.hand_over(earlier, number)

    def _packet(
        self, client: Client, side: Side, after: Sequence[Sequence[TcpState]], now_ns: int
    ) -> None:
        if now_ns >= self._next_due:
            self.expire(now_ns)
        entry = self._entries.get(client)
        if entry is None or (side and self._direct):
            return
        if not side and not self.servers.present[self._newest - entry.number]:
            if self._sysctls["expire_nodest_conn"]:
                self._replace(entry, now_ns)
                del self._entries[client]
            return
        self._move(entry, after[side][entry.state], now_ns)

    def _move(self, entry: RememberedConnection, state: int, now_ns: int) -> None:
        entry.state = state
        if ACTIVE[state] is not entry.active:
            place = self._newest - entry.number
            if entry.active:
                self._active[place] -= 1
                self._inactive[place] += 1
            else:
                self._active[place] += 1
                self._inactive[place] -= 1
            entry.active = not entry.active
            self.rule.counted(entry.number)
        queue = self._queue_of[state]
        self._put(entry, queue, self._wheel.fires(now_ns, queue.ticks, queue.shift))

    def _put(self, entry: RememberedConnection, queue: TimeoutQueue, due: int) -> None:
        if due != queue.last_due:
            queue.last, queue.last_due = {}, due
            queue.buckets.append((due, queue.last))
            self._next_due = min(self._next_due, due)
        if entry.bucket is not queue.last:
            entry.bucket.pop(entry, None)
            entry.bucket = queue.last
            queue.last[entry] = None

    def _replace(self, entry: RememberedConnection, now_ns: int) -> None:
        # It counts until the next tick, so the one that comes in its place is chosen with it
        # (ip_vs_conn_expire_now).
        self._put(entry, self._replaced, self._wheel.fires(now_ns, 0, 0))

    def _given_up(self, entry: RememberedConnection) -> bool:
        """Whether a SYN begins another connection (ip_vs_in_hook, is_new_conn_expected)."""
        if (
            self._sysctls["expire_nodest_conn"]
            and not self.servers.weights[self.servers.place(entry.number)]
        ):
            return True
        mode = self._sysctls["conn_reuse_mode"]
        if not mode or entry.template is not None:
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

    def _queue(self, timeout_ns: int) -> TimeoutQueue:
        if (queue := self._queues.get(timeout_ns)) is None:
            queue = self._queues[timeout_ns] = TimeoutQueue(*self._wheel.rounding(timeout_ns))
        return queue

    def _expire_connections(self, now_ns: int) -> int:
        """Forget what is due; returns when the next ones are."""
        first = NEVER
        for queue in (self._replaced, *self._queues.values()):
            buckets = queue.buckets
            while buckets and buckets[0][0] <= now_ns:
                _, bucket = buckets.popleft()
                for entry in bucket:
                    self._forget(entry)
                bucket.clear()
            if buckets:
                first = min(first, buckets[0][0])
            else:
                queue.last_due = 0
        return first

    def _forget(self, entry: RememberedConnection) -> None:
        counts = self._active if entry.active else self._inactive
        counts[self._newest - entry.number] -= 1
        self.rule.counted(entry.number)
        if entry.template is not None:
            entry.template.connections -= 1
        if self._entries.get(entry.client) is entry:
            del self._entries[entry.client]
