"""The services in the kernel's table `kube-proxy` of nftables, with their counters.

include/uapi/linux/netfilter/nf_tables.h. Each server has a named counter, whose name
also says the service (nftables_rules.py); it is of connections, because only the first
packet of a connection is shown to chains of type nat (nf_nat_core.c, nf_nat_inet_fn). How
often a chain is used is the number of its rules and of the places that lead to it: so a
server's chain with one rule that is used twice is among those that are drawn.
"""

import struct
from socket import AF_INET, htons, inet_aton, ntohl

from ipvsload.ipvs.decode import Decoder, MessageKind
from ipvsload.netfilter.nat_service import NatEntry
from ipvsload.netfilter.nfnetlink import (
    NFTABLES,
    NetfilterSocket,
    attribute,
    dump_message,
)
from ipvsload.netfilter.nftables_rules import TABLE
from ipvsload.netfilter.used_rules import nftables_may_be_used

_GET_CHAIN, _GET_OBJECT = 4, 19  # NFT_MSG_*
_COUNTER = struct.pack("!I", 1)  # NFT_OBJECT_COUNTER
_RULES_OF_A_SERVER = 1

# NFTA_CHAIN_TABLE 1, _NAME 3, _USE 6
_CHAIN = MessageKind("chain", (((1,),), ((3,),), ((6,),)), raw=frozenset({0, 1}))
# NFTA_OBJ_NAME 2, _DATA 4: NFTA_COUNTER_PACKETS 2
_OBJECT = MessageKind("counter", (((2,),), ((4, 2),)), raw=frozenset({0, 1}))


class NftablesTable:
    """Reads the table of this network namespace."""

    def __init__(self) -> None:
        self._socket: NetfilterSocket | None = None
        self._chains, self._objects = Decoder(_CHAIN), Decoder(_OBJECT)
        self._list_chains = dump_message(NFTABLES, _GET_CHAIN, AF_INET)
        of_table = attribute(1, TABLE.encode() + b"\0") + attribute(3, _COUNTER)
        self._list_objects = dump_message(NFTABLES, _GET_OBJECT, AF_INET, of_table)

    def read(self) -> list[NatEntry]:
        """The services now; none where nobody has used nftables yet, whose module asking loads.

        Raises OSError, InterruptedDumpError.
        """
        if self._socket is None:
            if not nftables_may_be_used():
                return []
            self._socket = NetfilterSocket()
        counters = self._socket.dump(self._list_objects, self._objects)
        if not counters:
            return []
        table = TABLE.encode() + b"\0"
        used = {
            name: ntohl(use)
            for _, rows in self._socket.dump(self._list_chains, self._chains)
            for of, name, use in rows
            if of == table
        }
        found: dict[tuple[str, ...], NatEntry] = {}
        for _, rows in counters:
            for name, packets in rows:
                balancer, protocol, vip, port, chain = name[:-1].decode().split("/", 4)
                host, _, number = chain.rpartition("__")[2].rpartition("/")
                service = found.get((balancer, protocol, vip, port)) or NatEntry(
                    balancer, inet_aton(vip), htons(int(port)), []
                )
                found[balancer, protocol, vip, port] = service
                weight = int(used.get(chain.encode() + b"\0", 0) > _RULES_OF_A_SERVER)
                server = inet_aton(host), htons(int(number)), weight
                service.servers.append((*server, int.from_bytes(packets, "big")))
        return list(found.values())
