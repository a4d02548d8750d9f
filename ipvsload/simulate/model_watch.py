"""The witness of a simulated run: the packets that one in the lab would have seen.

So a simulated run is explained, decision by decision, as one of the lab is.
"""

from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.ipvs_model.tcp_states import Side
from ipvsload.record.packet_table import PacketTable
from ipvsload.record.witness import Packet, PacketKind
from ipvsload.testbed.base import ServiceUnderTest, WatchedPackets

FINS = {Side.CLIENT: PacketKind.CLIENT_FIN, Side.SERVER: PacketKind.SERVER_FIN}
RSTS = {Side.CLIENT: PacketKind.CLIENT_RST, Side.SERVER: PacketKind.SERVER_RST}


class ModelWatch:
    """Keeps what passes a director from `begin` on; `direct`: servers answer past it."""

    def __init__(self, direct: bool) -> None:
        self._packets: list[Packet] = []
        self._unseen = {PacketKind.SERVER_FIN, PacketKind.SERVER_RST} if direct else set()

    def saw(self, now_ns: int, kind: PacketKind, client: Client, server: str) -> None:
        """A packet leaves a director."""
        if kind not in self._unseen:
            self._packets.append(Packet(now_ns, kind, client.address, client.port, server))

    def begin(self, service: ServiceUnderTest) -> None:
        """Nothing of this service has been sent yet."""

    def take(self) -> None:
        """All is here already."""

    def end(self) -> WatchedPackets:
        """What was seen."""
        packets, self._packets = self._packets, []
        return WatchedPackets(PacketTable.of(packets))
