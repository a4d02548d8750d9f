"""The states of a TCP connection as IPVS follows it, and how long it remembers each.

A director does not run TCP: it guesses from the packets that pass it, and under direct routing
and tunnels only the client's do. So a connection that the server has half closed is still
ESTABLISHED there (net/netfilter/ipvs/ip_vs_proto_tcp.c).
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class Side(IntEnum):
    """Who sent a packet."""

    CLIENT = 0
    SERVER = 1


class TcpState(IntEnum):
    """IP_VS_TCP_S_* (include/net/ip_vs.h)."""

    NONE = 0
    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT = 4
    TIME_WAIT = 5
    CLOSE = 6
    CLOSE_WAIT = 7
    LAST_ACK = 8
    LISTEN = 9
    SYNACK = 10


class TcpTimeouts(NamedTuple):
    """Seconds without a packet after which a connection is forgotten, in the order of TcpState.

    tcp_timeouts; `ipvsadm --set` changes ESTABLISHED and FIN_WAIT (ip_vs_set_timeout).
    """

    none: int = 2
    established: int = 900
    syn_sent: int = 120
    syn_recv: int = 60
    fin_wait: int = 120
    time_wait: int = 120
    close: int = 10
    close_wait: int = 60
    last_ack: int = 30
    listen: int = 120
    synack: int = 120

    @classmethod
    def of_record(cls, timeouts: Mapping[str, int]) -> "TcpTimeouts":
        """With those that a record has: "tcp" and "tcp_fin"; 0 or none is the kernel's own."""
        own = cls()
        return own._replace(
            established=timeouts.get("tcp") or own.established,
            fin_wait=timeouts.get("tcp_fin") or own.fin_wait,
        )


class TcpFlag(IntEnum):
    """What of a packet moves a connection: RST where it is set, else the first one that is set.

    As tcp_state_idx; these are its numbers.
    """

    SYN = 0
    FIN = 1
    ACK = 2
    RST = 3


_ACTIVE = {TcpState.ESTABLISHED, TcpState.SYN_SENT, TcpState.SYN_RECV}
ACTIVE: tuple[bool, ...] = tuple(state in _ACTIVE for state in TcpState)
"""By state: whether its connections count as active (tcp_state_active_table)."""

_N, _E, _S, _R, _F, _T, _C, _W, _L, _I, _A = TcpState

NextStates = tuple[tuple[TcpState, ...], ...]

_FROM_CLIENT: NextStates = (
    (_R, _E, _E, _R, _R, _R, _R, _R, _R, _R, _R),
    (_C, _W, _S, _T, _T, _T, _C, _W, _L, _I, _T),
    (_E, _E, _S, _E, _F, _T, _C, _W, _C, _I, _E),
    (_C, _C, _C, _R, _C, _C, _C, _C, _L, _I, _R),
)
_FROM_SERVER: NextStates = (
    (_S, _E, _S, _R, _S, _S, _S, _S, _S, _I, _R),
    (_T, _F, _S, _T, _F, _T, _C, _T, _L, _I, _T),
    (_E, _E, _S, _E, _F, _T, _C, _W, _L, _E, _E),
    (_C, _C, _S, _C, _C, _T, _C, _C, _C, _C, _C),
)
_CLIENT_ALONE: NextStates = (
    (_R, _E, _E, _R, _R, _R, _R, _R, _R, _R, _R),
    (_C, _F, _S, _T, _F, _T, _C, _W, _L, _I, _T),
    (_E, _E, _S, _E, _F, _T, _C, _W, _C, _I, _E),
    (_C, _C, _C, _R, _C, _C, _C, _C, _L, _I, _C),
)

BOTH_SEEN: tuple[NextStates, ...] = (_FROM_CLIENT, _FROM_SERVER)
"""By side, flag and state, the next state, where both halves of a connection pass the director
(tcp_states, INPUT and OUTPUT)."""
CLIENT_SEEN: tuple[NextStates, ...] = (_CLIENT_ALONE,)
"""The same where only the client's half does (INPUT_ONLY)."""
