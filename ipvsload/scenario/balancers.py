"""What can balance a virtual service.

That is each scheduler of IPVS, and what balances without IPVS: kube-proxy's
modes iptables and nftables, and nftables with a hash in the place of chance, have no
table of virtual services, no scheduler and no weights, but a run can measure
them beside the schedulers.
"""

from typing import NamedTuple

from ipvsload.ipvs.schedulers import SCHEDULERS, Choice
from ipvsload.scenario.capabilities import Capability

_IPVS = "ipvs"


class Balancer(NamedTuple):
    """`proxy_mode` is the `mode` in kube-proxy's configuration that has this balancer, or "".

    `flushes` says that kube-proxy empties the whole IPVS table where it starts in
    this mode (platformCleanup in cmd/kube-proxy/app/server_linux.go). `since` is
    the first kube-proxy with that mode. `choice` and `rule` are as a Scheduler has them, of
    what is none.
    """

    name: str
    proxy_mode: str = _IPVS
    flushes: bool = False
    since: tuple[int, int] = (1, 8)
    choice: Choice = "chance"
    rule: str = ""

    @property
    def in_ipvs_table(self) -> bool:
        """Whether the service and its real servers stand in the kernel's IPVS table."""
        return self.proxy_mode == _IPVS

    @property
    def lacks(self) -> dict[Capability, str]:
        """What cannot be had of it anywhere, with the reason for each."""
        if self.in_ipvs_table:
            return {}
        return {
            "shares": f"{self.name} has no weights: a server has the chance of any other (1) or"
            " none (0)",
            "forwarding": f"{self.name} translates addresses; to forward otherwise is IPVS's",
        }


BALANCERS: dict[str, Balancer] = {
    balancer.name: balancer
    for balancer in (
        *map(Balancer, SCHEDULERS),
        Balancer(
            "iptables",
            "iptables",
            since=(1, 1),
            rule="one draw after the other, with 1/N, 1/(N-1) ... 1 (xt_statistic.c, statistic_mt)",
        ),
        Balancer(
            "nftables",
            "nftables",
            flushes=True,
            since=(1, 29),
            rule="one number of N is drawn (nft_numgen.c, nft_ng_random_eval)",
        ),
        Balancer(
            "nftables-hash",
            "",
            choice="client",
            rule="a hash of the client's address, modulo N (nft_hash.c, nft_jhash_eval)",
        ),
    )
}


def find(name: str) -> Balancer:
    """The balancer of this name.

    A name that is not known here is a scheduler of a newer kernel; "" is
    whatever scheduler the table has.
    """
    return BALANCERS.get(name) or Balancer(name)


def of_proxy_mode(mode: str | None) -> Balancer | None:
    """What balances without IPVS where kube-proxy runs in this mode; None for other modes."""
    outside = (one for one in BALANCERS.values() if not one.in_ipvs_table)
    return next((one for one in outside if mode and one.proxy_mode == mode), None)
