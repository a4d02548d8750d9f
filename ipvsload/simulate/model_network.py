"""The network of a simulated run: from a request to its director, its server and back.

Its times are in `model_connection.py`.
"""

from collections.abc import Sequence
from functools import partial

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.ipvs_model.timer_wheel import SECOND_NS
from ipvsload.record.format import NO_SERVER
from ipvsload.record.witness import PacketKind
from ipvsload.scenario.connection import Lifetime
from ipvsload.simulate.model_connection import WAY_NS, ModelConnection
from ipvsload.simulate.model_directors import ModelDirectors
from ipvsload.simulate.model_exchange import ModelExchange
from ipvsload.simulate.model_server import ModelServer
from ipvsload.simulate.model_watch import ModelWatch
from ipvsload.simulate.virtual_time import VirtualTime
from ipvsload.testbed.lab.source_ports import SourcePorts

_TRIES = 1_000
"""As many ports that are in use are passed over before there is none (source_ports.py)."""


class ModelNetwork:
    """From clients through `directors` to `servers`, which are by number; more may join.

    `direct` says that answers go past the directors. `timeouts` are TCP's, until now.
    """

    def __init__(
        self,
        time: VirtualTime,
        directors: ModelDirectors,
        servers: Sequence[ModelServer],
        ports: SourcePorts,
        watch: ModelWatch,
        direct: bool,
    ) -> None:
        self.time, self.watch, self.direct = time, watch, direct
        self.timeouts = 0
        self._directors, self._servers, self._ports = directors, servers, ports
        self._several = len(directors.tables) > 1
        self._in_use: set[Client] = set()
        self._connections: dict[ModelExchange, ModelConnection] = {}
        """Those that are open, or that their clients take for it."""

    def send(self, exchange: ModelExchange) -> None:
        """Send the exchange's request, over the connection that it has, or a new one."""
        now_ns = self.time.now_ns
        exchange.busy = True
        exchange.untaken, exchange.idle_us, exchange.retried = None, 0, 0
        exchange.status, exchange.queue_us = 0, None
        connection = self._connections.get(exchange)
        exchange.reused = connection is not None
        if connection is None:
            self._connect(exchange, now_ns)
        elif not connection.table.remembers(connection.client, now_ns):
            self._broken_later(connection, now_ns)  # no socket of the director's own is meant
        elif connection.server.removed:
            pass  # it drops that, without a word, however often it is sent (ip_vs_in_hook)
        else:
            connection.table.heard(connection.client, Side.CLIENT, now_ns)
            connection.send(now_ns)

    def drop(self, exchange: ModelExchange) -> None:
        """Give up the exchange's request, if any, and close its connection."""
        exchange.busy = False
        connection = self._connections.pop(exchange, None)
        if connection is not None:
            connection.close(self.time.now_ns)

    def time_out(self, exchange: ModelExchange) -> None:
        """Give up a request that has no answer in time."""
        connection = self._connections.get(exchange)
        if connection is not None and exchange.reused and not connection.arrived:
            exchange.untaken = "silence"
            exchange.idle_us = (exchange.start - exchange.idle_since) // 1000
        self.drop(exchange)

    def released(self, client: Client) -> None:
        """A client's port is free."""
        self._in_use.discard(client)

    def _connect(self, exchange: ModelExchange, now_ns: int) -> None:
        client = self._source()
        if client is None:
            exchange.client, exchange.port, exchange.director = "", 0, 0
            exchange.server = None
            self.time.call(now_ns, partial(self._failed, exchange, "no port"))
            return
        exchange.client, exchange.port = client
        place = self._directors.through(client.port)
        exchange.director = place + 1 if self._several else 0
        table = self._directors.tables[place]
        number = table.choose(client, now_ns)
        if number is None:
            exchange.server = NO_SERVER
            self._in_use.discard(client)
            self.time.call(now_ns + WAY_NS, partial(self._failed, exchange, "refused"))
            return
        server = self._servers[number]
        self.watch.saw(now_ns, PacketKind.CHOSEN, client, server.address)
        if table.opened(client, number, now_ns, answered=not (server.dead or server.vanished)):
            self._directors.counted(place, number)
        exchange.server = server.address
        connection = ModelConnection(self, exchange, client, place, table, server, now_ns)
        self._connections[exchange] = connection
        lifetime = exchange.owner.lifetime
        if lifetime is not None and lifetime.seconds is not None:
            end_ns = now_ns + int(lifetime.seconds * SECOND_NS)
            self.time.call(end_ns, partial(self._lived, connection))
        connection.send(now_ns)

    def _source(self) -> Client | None:
        for _ in range(_TRIES):
            client = Client(*self._ports.take())
            if client not in self._in_use:
                self._in_use.add(client)
                return client
        return None

    # What becomes of a request

    def received(self, connection: ModelConnection, now_ns: int) -> None:
        """The answer is there."""
        exchange = connection.exchange
        connection.carried += 1
        exchange.busy, exchange.idle_since = False, now_ns
        if connection.kept:
            connection.table.heard(connection.client, Side.CLIENT, now_ns)
        if not connection.kept or _over(connection, exchange.owner.lifetime, now_ns):
            del self._connections[exchange]
            connection.close(now_ns)
        exchange.owner.ended(exchange, None)

    def broken(self, connection: ModelConnection, error: str, now_ns: int) -> None:
        """The client hears that its connection has ended."""
        exchange = connection.exchange
        if not connection.open:
            return
        connection.open = False
        self.released(connection.client)
        del self._connections[exchange]
        if not exchange.busy:
            return
        if exchange.reused and not connection.arrived:
            exchange.untaken = error
            exchange.idle_us = (exchange.start - exchange.idle_since) // 1000
            if exchange.owner.retry:
                exchange.retried, exchange.reused = 1, False
                self._connect(exchange, now_ns)
                return
        self._failed(exchange, error, now_ns)

    def _broken_later(self, connection: ModelConnection, now_ns: int) -> None:
        self.time.call(now_ns + 2 * WAY_NS, lambda end_ns: self.broken(connection, "reset", end_ns))

    def _failed(self, exchange: ModelExchange, error: str, _now_ns: int) -> None:
        if exchange.busy:
            exchange.busy = False
            exchange.owner.ended(exchange, error)

    def _lived(self, connection: ModelConnection, now_ns: int) -> None:
        """Its time is over; what is in use is closed after its answer."""
        if connection.open and not connection.exchange.busy:
            del self._connections[connection.exchange]
            connection.close(now_ns)


def _over(connection: ModelConnection, lifetime: Lifetime | None, now_ns: int) -> bool:
    if lifetime is None:
        return False
    if lifetime.seconds is not None:
        return now_ns - connection.opened_ns >= lifetime.seconds * SECOND_NS
    return connection.carried >= (lifetime.requests or 0)
