"""What balances by network address translation: the only list of it, by name. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from ipvsload.ipvs.schedulers import module_of
from ipvsload.netfilter.iptables_rules import IptablesRules
from ipvsload.netfilter.nat_service import NatRules
from ipvsload.netfilter.nftables_rules import BY_CLIENT, RANDOM, NftablesRules


class NatKind(NamedTuple):
    """One of them."""

    rules: NatRules
    needs: tuple[tuple[str, str], ...]
    """The kernel modules that tell whether it can be had, each with its option."""
    uses: tuple[str, ...]
    """The others; the kernel loads them on demand too, each by a program of its own."""

    @property
    def modules(self) -> tuple[str, ...]:
        """All that it is good to have loaded before."""
        return (*(module for module, _ in self.needs), *self.uses, "nf_conntrack_netlink")


_NFT = ("nft_nat", "NFT_NAT")
_NFT_USES = ("nf_tables", "nft_chain_nat", "nft_ct", "nft_reject_ipv4")
NAT_KINDS: dict[str, NatKind] = {
    "iptables": NatKind(
        IptablesRules(),
        (("iptable_nat", "IP_NF_NAT"), ("xt_statistic", "NETFILTER_XT_MATCH_STATISTIC")),
        (
            "iptable_filter",
            "xt_conntrack",
            "xt_comment",
            "xt_tcpudp",
            "xt_nat",
            "xt_connmark",
            "ipt_REJECT",
        ),
    ),
    "nftables": NatKind(
        NftablesRules("nftables", RANDOM), (_NFT, ("nft_numgen", "NFT_NUMGEN")), _NFT_USES
    ),
    "nftables-hash": NatKind(
        NftablesRules("nftables-hash", BY_CLIENT), (_NFT, ("nft_hash", "NFT_HASH")), _NFT_USES
    ),
}


def balancing_modules(balancers: Iterable[str]) -> list[str]:
    """The kernel modules of these balancers, schedulers among them; each once."""
    modules: list[str] = []
    for name in balancers:
        modules += NAT_KINDS[name].modules if name in NAT_KINDS else [module_of(name)]
    return list(dict.fromkeys(modules))
