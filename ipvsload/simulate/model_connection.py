"""One connection of a simulated run: what passes on the cables, and when.

The client and the director stand side by side: a SYN, FIN or RST of the client's is at the
director when it is sent. A request is at its server WAY_NS after that, and the answer at the
client WAY_NS after the server has sent it; the director sees the server's FIN or RST when it
is sent. Of a new connection SYN, SYN+ACK and request share WAY_NS, so a refusal is sooner there.
"""

from typing import Protocol

from ipvsload.ipvs_model.director_model import DirectorModel
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.simulate.model_exchange import ModelExchange
from ipvsload.simulate.model_server import ModelServer
from ipvsload.simulate.model_watch import FINS, RSTS, ModelWatch
from ipvsload.simulate.virtual_time import VirtualTime

WAY_NS = 100_000
"""A request without work takes twice as long: 0.2 ms."""
PASSAGE_NS = WAY_NS // 3
SYN_AGAIN_NS = 1_000_000_000
"""TCP's first timeout of a SYN, which doubles each time (include/net/tcp.h, TCP_TIMEOUT_INIT)."""
DATA_AGAIN_NS = 200_000_000
"""The same of data, where round trips are short (TCP_RTO_MIN)."""


class ClientSide(Protocol):
    """Who has made a connection, and hears of it: the network."""

    time: VirtualTime
    watch: ModelWatch
    direct: bool
    """Whether answers go past the directors."""
    timeouts: int
    """Of TCP, until now."""

    def released(self, client: Client) -> None:
        """The client's port is free."""

    def received(self, connection: "ModelConnection", now_ns: int) -> None:
        """The answer is there."""

    def broken(self, connection: "ModelConnection", error: str, now_ns: int) -> None:
        """The client hears that the connection has ended."""


class ModelConnection:
    """Of `exchange`, which sends its requests over it, one at a time.

    `open` says whether the client has neither closed it nor been told of its end; `kept` whether
    the server leaves it open after an answer.
    """

    __slots__ = ("again_ns", "arrived", "carried", "client", "director", "established",
                 "exchange", "kept", "network", "open", "opened_ns", "server", "table")  # fmt: skip

    def __init__(
        self,
        network: ClientSide,
        exchange: ModelExchange,
        client: Client,
        director: int,
        table: DirectorModel,
        server: ModelServer,
        now_ns: int,
    ) -> None:
        self.network, self.exchange, self.client = network, exchange, client
        self.director, self.table, self.server = director, table, server
        self.kept = exchange.owner.reuse
        self.open = True
        self.arrived = False
        """Whether the present request has come to the server."""
        self.established = False
        self.again_ns = SYN_AGAIN_NS
        self.opened_ns = now_ns
        self.carried = 0

    # From the client

    def send(self, now_ns: int) -> None:
        """The client sends its next request."""
        self.arrived = False
        refused = self.server.dead and not self.established
        self.network.time.call(now_ns + (PASSAGE_NS if refused else WAY_NS), self._arrive)

    def close(self, now_ns: int) -> None:
        """The client closes it, also where it still waits for an answer."""
        if not self.open:
            return
        self.open = False
        self.network.released(self.client)
        if not self.established:
            return  # a socket without a connection sends nothing at its end
        self._fin(Side.CLIENT, now_ns)
        server = self.server
        # A server that works on it looks at it when it answers.
        silent = self.arrived or server.frozen or server.vanished
        if self in server.connections and not silent:
            del server.connections[self]
            self._fin(Side.SERVER, now_ns)

    def _arrive(self, now_ns: int) -> None:
        server = self.server
        if not self.open:
            return
        if server.vanished:
            again, self.again_ns = self.again_ns, self.again_ns * 2
            self.network.time.call(now_ns + again, self._send_again)
        elif server.dead:
            self._rst(Side.SERVER, now_ns)
            if self.established:
                self._broken("reset", WAY_NS)
            else:
                self._broken("refused", PASSAGE_NS)
        else:
            if not self.established and self.again_ns != SYN_AGAIN_NS:
                self.table.heard(self.client, Side.CLIENT, now_ns)
            self.established = self.arrived = True
            self.again_ns = DATA_AGAIN_NS
            server.take(self, self.exchange.asked)

    def _send_again(self, now_ns: int) -> None:
        if self.open:
            self.network.timeouts += 1
            self._arrive(now_ns)

    # From the server

    def answered(self, now_ns: int, status: int, queue_us: int | None) -> None:
        """The server sends its answer."""
        self.arrived = False
        if not self.open:
            # It closes too, and its answer meets no socket any more.
            self.server.connections.pop(self, None)
            self._fin(Side.SERVER, now_ns)
            self._rst(Side.CLIENT, now_ns)
            return
        if not self.kept:
            del self.server.connections[self]
            self._fin(Side.SERVER, now_ns)
        if not self.network.direct and not self.table.remembers(self.client, now_ns):
            return  # nobody puts the service's address in its place (ip_vs_out_hook)
        self.exchange.status, self.exchange.queue_us = status, queue_us
        self.network.time.call(now_ns + WAY_NS, self._received)

    def reset(self, now_ns: int) -> None:
        """The server ends it with RST."""
        self._rst(Side.SERVER, now_ns)
        if self.open:
            self._broken("reset", WAY_NS)

    def _broken(self, error: str, way_ns: int) -> None:
        """The client hears of the end, so much later."""
        time = self.network.time
        time.call(time.now_ns + way_ns, lambda now_ns: self.network.broken(self, error, now_ns))

    def _received(self, now_ns: int) -> None:
        if self.open:
            self.network.received(self, now_ns)

    # At the director

    def _fin(self, side: Side, now_ns: int) -> None:
        self.network.watch.saw(now_ns, FINS[side], self.client, self.server.address)
        self.table.closing(self.client, side, now_ns)

    def _rst(self, side: Side, now_ns: int) -> None:
        self.network.watch.saw(now_ns, RSTS[side], self.client, self.server.address)
        self.table.reset(self.client, side, now_ns)
