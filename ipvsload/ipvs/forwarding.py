"""How a director hands packets on to the real servers; each server's entry in the table says it.

Standard library only: it runs in the director.
"""

from collections.abc import Iterable
from typing import NamedTuple

_AND = " and "

NUMBERS = {"masq": 0, "local": 1, "tunnel": 2, "route": 3, "bypass": 4}
"""IP_VS_CONN_F_* by the words of /proc (include/uapi/linux/ip_vs.h; ip_vs_fwd_name)."""


class Forwarding(NamedTuple):
    """One way of handing packets on."""

    name: str
    """As scenarios and keepalived's `lb_kind` have it."""
    number: int
    about: str
    """In a word or two, for people."""
    direct: bool = True
    """Whether replies go past the director."""
    tunnel: bool = False
    """Whether packets come to the real server inside of others, which it must take them out of."""


FORWARDINGS = {
    one.name: one
    for one in (
        Forwarding("masq", NUMBERS["masq"], "masquerading", direct=False),
        Forwarding("dr", NUMBERS["route"], "direct routing"),
        Forwarding("tun", NUMBERS["tunnel"], "tunnels, IP in IP", tunnel=True),
    )
}
"""By name, in the order in which people should see them."""
BY_NUMBER = {one.number: one.name for one in FORWARDINGS.values()}
"""Their names by IP_VS_CONN_F_*; local and bypass have none, because nobody sets these."""
MASQUERADING = "masq"
"""What is meant where nobody says how."""


def past_director(forwarding: str) -> bool:
    """Whether some replies go past the director; `forwarding` is as `joined` has it."""
    return any(FORWARDINGS[word].direct for word in forwarding.split(_AND) if word in FORWARDINGS)


def joined(numbers: Iterable[int]) -> str:
    """In words, how the real servers of one service are reached: "dr", or "dr and masq"."""
    return _AND.join(sorted({BY_NUMBER[number] for number in numbers if number in BY_NUMBER}))
