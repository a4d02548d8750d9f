"""A director that is the model itself, and what a run would have recorded of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ipvsload.ipvs_model.director_model import DirectorModel, ServiceSettings
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.record.events import Event, RunStarted, ServerJoined
from ipvsload.record.format import Request
from ipvsload.record.reader import RecordedRun
from ipvsload.record.request_table import RequestTable
from ipvsload.record.witness import Packet, PacketKind, Witness

CLIENT = "192.0.2.101"
VIP = "192.0.2.80"
START_NS = 1_000_000_000


def address(number: int) -> str:
    return f"198.51.100.{11 + number}:80"


class Arrival(NamedTuple):
    """A connection comes so long after the one before, and is held for so long; in ns."""

    gap_ns: int
    held_ns: int


@dataclass
class SimulatedDirector:
    """Plays arrivals; `faulty` are those that it gives to the next server instead."""

    scheduler: str
    weights: Sequence[int]
    lc_law: int = 256
    packet_order_us: int = 0
    least_apart_ns: int = 1
    faulty: frozenset[int] = frozenset()
    packets: list[Packet] = field(default_factory=list)

    def play(self, arrivals: Iterable[Arrival]) -> None:
        model = DirectorModel(ServiceSettings(self.scheduler, VIP, lc_law=self.lc_law))
        for number, weight in enumerate(self.weights):
            model.join(address(number), weight)
        due: list[tuple[int, int, int]] = []
        now = START_NS
        for number, arrival in enumerate(arrivals):
            now += arrival.gap_ns
            due.append((now, 0, number))
            due.append((now + arrival.held_ns, 1, number))
        servers: dict[int, int] = {}
        last = 0
        for due_ns, ends, number in sorted(due):
            t_ns = last = max(due_ns, last + self.least_apart_ns)
            client = Client(CLIENT, 1024 + number)
            if ends:
                if number in servers:
                    model.closing(client, Side.SERVER, t_ns)
                    self._seen(t_ns, PacketKind.SERVER_FIN, client, servers[number])
                continue
            chosen = model.choose(client, t_ns)
            if chosen is not None:
                if number in self.faulty:
                    chosen = (chosen + 1) % len(self.weights)
                servers[number] = chosen
                model.opened(client, chosen, t_ns)
                self._seen(t_ns, PacketKind.CHOSEN, client, chosen)

    @property
    def witness(self) -> Witness:
        return Witness(sorted(self.packets))

    def run(self, requests: Iterable[Request] = ()) -> RecordedRun:
        events: list[Event] = [
            RunStarted(
                1, 0, self.scheduler, 1, {"provider": "model", "lc_law": self.lc_law},
                f"tcp {VIP}:80", {}, exclusive=True,
            ),
            *(
                ServerJoined(1, number, address(number), number + 1, weight)
                for number, weight in enumerate(self.weights)
            ),
        ]  # fmt: skip
        return RecordedRun(
            1, self.scheduler, service=f"tcp {VIP}:80",
            kernel={"lc_law": self.lc_law, "packet_order_us": self.packet_order_us},
            exclusive=True, events=events, requests=RequestTable.of(1, requests),
        )  # fmt: skip

    def requests(self) -> list[Request]:
        """What the generator knows: exact times, as whole microseconds."""
        begun: dict[int, Packet] = {}
        found = []
        for packet in self.packets:
            if packet.kind == PacketKind.CHOSEN:
                begun[packet.port] = packet
            else:
                first = begun.pop(packet.port)
                start_us = first.t_ns // 1000
                took_us = packet.t_ns // 1000 - start_us
                found.append(
                    Request(
                        run=1,
                        traffic="short",
                        planned_us=start_us,
                        start_us=start_us,
                        latency_us=took_us,
                        status=200,
                        bytes=10,
                        client=CLIENT,
                        port=packet.port,
                        reused=False,
                        server=packet.server,
                        error=None,
                    )
                )
        return found

    def _seen(self, t_ns: int, kind: PacketKind, client: Client, server: int) -> None:
        self.packets.append(Packet(t_ns, kind, client.address, client.port, address(server)))
