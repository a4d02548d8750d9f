"""What IPVS and kube-proxy use of a kernel, each with its option, module and reason.

The examiner on a cluster's node and `ipvsload iso` ask for the same things, so
they are listed once, here. Sources: net/netfilter/ipvs/Kconfig, net/netfilter/ipset/Kconfig and
net/netfilter/Kconfig for options and the kernel that brought them;
pkg/proxy/ipvs of Kubernetes for what kube-proxy uses. Pure.
"""

from enum import Enum
from typing import NamedTuple

from ipvsload.ipvs.schedulers import SCHEDULERS

_KUBE_PROXY_DEFAULT = SCHEDULERS["rr"]  # pkg/proxy/ipvs/proxier.go, defaultScheduler
_XTABLES = "NETFILTER_XTABLES"
_GIVEN_BY = {
    _XTABLES: ("IP_NF_IPTABLES", "IP6_NF_IPTABLES"),  # Kconfig selects x_tables for both
    "NETFILTER_XT_MARK": ("NETFILTER_XT_TARGET_MARK", "NETFILTER_XT_MATCH_MARK"),
}


class FeatureKind(Enum):
    """Under which heading a feature is shown."""

    CORE = "core"
    SCHEDULER = "schedulers"
    IPSET = "ipset types"
    MATCH = "iptables matches"
    DEVICE = "devices"


class Feature(NamedTuple):
    """One option of the kernel's configuration."""

    option: str
    """Without CONFIG_."""
    module: str
    """The module that it builds where it is not built in; "" where it builds none of its own."""
    kind: FeatureKind
    name: str
    """The name that people know: `lc`, `hash:ip,port`."""
    why: str
    kube_proxy: bool = True
    """Whether kube-proxy's IPVS mode does not work without it."""
    since: tuple[int, int] = (2, 6)
    """The first kernel that has it."""
    depends_on: tuple[str, ...] = ()
    """Options without which the kernel's build drops this one without a word."""

    @property
    def given_by(self) -> tuple[str, ...]:
        """Options of which each sets this one, too; a defconfig then does not name it."""
        return _GIVEN_BY.get(self.option, ())

    @property
    def wanted(self) -> bool:
        """Whether a kernel should have it: kube-proxy's needs, and every scheduler."""
        return self.kube_proxy or self.kind is FeatureKind.SCHEDULER


def _core(
    option: str, module: str, name: str, why: str, *depends_on: str, kube_proxy: bool = True
) -> Feature:
    return Feature(
        *(option, module, FeatureKind.CORE, name, why),
        kube_proxy=kube_proxy,
        depends_on=depends_on,
    )


def _ipset(option: str, name: str, why: str, kube_proxy: bool = True) -> Feature:
    module = f"ip_set_{name.replace(':', '_').replace(',', '')}"
    return Feature(
        *(f"IP_SET_{option}", module, FeatureKind.IPSET, name, why),
        kube_proxy=kube_proxy,
        depends_on=("IP_SET",),
    )


def _match(option: str, module: str, name: str, why: str) -> Feature:
    return Feature(
        *(f"NETFILTER_XT_{option}", f"xt_{module}", FeatureKind.MATCH, name, why),
        depends_on=(_XTABLES, "IP_SET") if option == "SET" else (_XTABLES,),
    )


FEATURES: tuple[Feature, ...] = (
    _core("NETFILTER", "", "netfilter", "everything below is part of it"),
    _core(_XTABLES, "x_tables", "x_tables", "iptables' matches are its", "NETFILTER"),
    _core("NF_CONNTRACK", "nf_conntrack", "nf_conntrack",
          "kube-proxy masquerades, and sets vs/conntrack=1"),
    _core("IP_VS", "ip_vs", "ip_vs", "the balancer itself"),
    _core("IP_VS_IPV6", "", "IPv6", "services with IPv6 addresses", "IP_VS", kube_proxy=False),
    _core("IP_VS_PROTO_TCP", "", "TCP", "TCP services", "IP_VS"),
    _core("IP_VS_PROTO_UDP", "", "UDP", "UDP services, such as the cluster's DNS", "IP_VS"),
    _core("IP_VS_PROTO_SCTP", "", "SCTP", "SCTP services", "IP_VS", kube_proxy=False),
    _core("IP_VS_NFCT", "", "IPVS with conntrack",
          "kube-proxy sets vs/conntrack, which exists only with it", "IP_VS", "NF_CONNTRACK"),
    _core("IP_SET", "ip_set", "ip_set", "kube-proxy keeps addresses in sets, not rules"),
    *(Feature(one.option, one.module, FeatureKind.SCHEDULER, one.name, one.why,
              kube_proxy=one is _KUBE_PROXY_DEFAULT, since=one.since, depends_on=("IP_VS",))
      for one in SCHEDULERS.values()),
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
    Feature("DUMMY", "dummy", FeatureKind.DEVICE, "dummy",
            "kube-proxy: kube-ipvs0, the device that holds every service's address",
            depends_on=("NETDEVICES",)),
)  # fmt: skip

BY_OPTION = {feature.option: feature for feature in FEATURES}

EXAMINED_MODULES = tuple(one.module for one in FEATURES if one.module and one.wanted)
"""What a node is asked for: the modules that kube-proxy needs, and every scheduler's."""
