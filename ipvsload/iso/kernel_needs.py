"""What IPVS and kube-proxy ask of a kernel, each with its option, module and reason.

Sources: net/netfilter/ipvs/Kconfig, net/netfilter/ipset/Kconfig and
net/netfilter/Kconfig for options and the kernel that brought them;
pkg/proxy/ipvs of Kubernetes for what kube-proxy uses. Pure.
"""

from enum import Enum
from typing import NamedTuple

from ipvsload.ipvs.schedulers import SCHEDULERS, Scheduler

_KUBE_PROXY_DEFAULT = SCHEDULERS["rr"]  # pkg/proxy/ipvs/proxier.go, defaultScheduler


class Kind(Enum):
    """Under which heading a need is shown."""

    CORE = "core"
    SCHEDULER = "schedulers"
    IPSET = "ipset types"
    MATCH = "iptables matches"
    DEVICE = "devices"


class Need(NamedTuple):
    """One option of the kernel's configuration."""

    option: str
    """Without CONFIG_."""
    module: str
    """The module it builds where it is not built in; "" where it builds none of its own."""
    kind: Kind
    name: str
    """As people know it: `lc`, `hash:ip,port`."""
    why: str
    kube_proxy: bool = True
    """Whether kube-proxy's IPVS mode does not work without it."""
    since: tuple[int, int] = (2, 6)
    """The first kernel that has it."""
    needs: tuple[str, ...] = ()
    """Options without which the kernel's build drops this one in silence."""
    given_by: tuple[str, ...] = ()
    """Options each of which brings this one: a defconfig does not name it then."""


def _scheduler(scheduler: Scheduler) -> Need:
    return Need(
        *(scheduler.option, scheduler.module, Kind.SCHEDULER, scheduler.name, scheduler.why),
        kube_proxy=scheduler is _KUBE_PROXY_DEFAULT,
        since=scheduler.since,
        needs=("IP_VS",),
    )


def _ipset(option: str, name: str, why: str, kube_proxy: bool = True) -> Need:
    module = f"ip_set_{name.replace(':', '_').replace(',', '')}"
    return Need(
        *(f"IP_SET_{option}", module, Kind.IPSET, name, why),
        kube_proxy=kube_proxy,
        since=(2, 6),
        needs=("IP_SET",),
    )


def _match(option: str, module: str, name: str, why: str) -> Need:
    return Need(
        *(f"NETFILTER_XT_{option}", f"xt_{module}", Kind.MATCH, name, why),
        needs=("NETFILTER_XTABLES",) if option != "SET" else ("NETFILTER_XTABLES", "IP_SET"),
        given_by=("NETFILTER_XT_TARGET_MARK", "NETFILTER_XT_MATCH_MARK")
        if option == "MARK"
        else (),
    )


NEEDS: tuple[Need, ...] = (
    Need("NETFILTER", "", Kind.CORE, "netfilter", "everything below is part of it"),
    Need("NETFILTER_XTABLES", "x_tables", Kind.CORE, "x_tables", "iptables' matches are its",
         needs=("NETFILTER",), given_by=("IP_NF_IPTABLES", "IP6_NF_IPTABLES")),
    Need("NF_CONNTRACK", "nf_conntrack", Kind.CORE, "nf_conntrack",
         "kube-proxy masquerades, and sets vs/conntrack=1"),
    Need("IP_VS", "ip_vs", Kind.CORE, "ip_vs", "the balancer itself"),
    Need("IP_VS_IPV6", "", Kind.CORE, "IPv6", "services with IPv6 addresses",
         kube_proxy=False, needs=("IP_VS",)),
    Need("IP_VS_PROTO_TCP", "", Kind.CORE, "TCP", "TCP services", needs=("IP_VS",)),
    Need("IP_VS_PROTO_UDP", "", Kind.CORE, "UDP", "UDP services, such as the cluster's DNS",
         needs=("IP_VS",)),
    Need("IP_VS_PROTO_SCTP", "", Kind.CORE, "SCTP", "SCTP services",
         kube_proxy=False, needs=("IP_VS",)),
    Need("IP_VS_NFCT", "", Kind.CORE, "IPVS with conntrack",
         "kube-proxy sets vs/conntrack, which exists only with it",
         needs=("IP_VS", "NF_CONNTRACK")),
    Need("IP_SET", "ip_set", Kind.CORE, "ip_set", "kube-proxy keeps addresses in sets, not rules"),
    *map(_scheduler, SCHEDULERS.values()),
    _ipset("BITMAP_PORT", "bitmap:port", "kube-proxy: ports of NodePort services"),
    _ipset("HASH_IP", "hash:ip", "firewalls and network plugins", kube_proxy=False),
    _ipset("HASH_IPPORT", "hash:ip,port", "kube-proxy: addresses of services"),
    _ipset("HASH_IPPORTIP", "hash:ip,port,ip", "kube-proxy: hairpin and allowed sources"),
    _ipset("HASH_IPPORTNET", "hash:ip,port,net", "kube-proxy: loadBalancerSourceRanges"),
    _ipset("HASH_NET", "hash:net", "firewalls and network plugins", kube_proxy=False),
    _match("SET", "set", "set", "kube-proxy: rules look addresses up in sets"),
    _match("MARK", "mark", "mark, MARK", "kube-proxy: marks what to masquerade"),
    _match("MATCH_ADDRTYPE", "addrtype", "addrtype", "kube-proxy: is it an address of this node"),
    _match("MATCH_COMMENT", "comment", "comment", "kube-proxy: each of its rules has one"),
    _match("MATCH_CONNTRACK", "conntrack", "conntrack", "kube-proxy: lets replies pass"),
    Need("DUMMY", "dummy", Kind.DEVICE, "dummy",
         "kube-proxy: kube-ipvs0, the device that holds every service's address",
         needs=("NETDEVICES",)),
)  # fmt: skip

BY_OPTION = {need.option: need for need in NEEDS}
