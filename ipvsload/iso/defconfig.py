"""Adds to a kernel's defconfig what IPVS lacks in it, and keeps its form. Pure.

A defconfig is what `make savedefconfig` writes: only options that differ from
their defaults, in the order in which Kconfig's files name them. A new line is
put where that program would put it, so the next savedefconfig moves nothing.
"""

import difflib

from ipvsload.ipvs.kernel_features import BY_OPTION, FEATURES, Feature
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.iso import kernel_config
from ipvsload.iso.kernel import new_enough

# In the order of net/netfilter/ipvs/Kconfig; one that is not placed here comes last.
_KCONFIG = ("rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq")
_SCHEDULERS = dict.fromkeys(SCHEDULERS[name].option for name in (*_KCONFIG, *SCHEDULERS))
# net/netfilter/Kconfig, net/netfilter/ipset/Kconfig, net/netfilter/ipvs/Kconfig
# and drivers/net/Kconfig, as far as what may be added has neighbours in them.
_ORDER = (
    *("NETFILTER", "NF_CONNTRACK", "NETFILTER_XTABLES", "NETFILTER_XT_MARK"),
    *("NETFILTER_XT_CONNMARK", "NETFILTER_XT_SET", "NETFILTER_XT_TARGET_TCPOPTSTRIP"),
    *("NETFILTER_XT_MATCH_ADDRTYPE", "NETFILTER_XT_MATCH_BPF", "NETFILTER_XT_MATCH_CLUSTER"),
    *("NETFILTER_XT_MATCH_COMMENT", "NETFILTER_XT_MATCH_CONNBYTES"),
    *("NETFILTER_XT_MATCH_CONNMARK", "NETFILTER_XT_MATCH_CONNTRACK", "NETFILTER_XT_MATCH_U32"),
    *("IP_SET", "IP_SET_BITMAP_IP", "IP_SET_BITMAP_IPMAC", "IP_SET_BITMAP_PORT"),
    *("IP_SET_HASH_IP", "IP_SET_HASH_IPMARK", "IP_SET_HASH_IPPORT", "IP_SET_HASH_IPPORTIP"),
    *("IP_SET_HASH_IPPORTNET", "IP_SET_HASH_IPMAC", "IP_SET_HASH_MAC"),
    *("IP_SET_HASH_NETPORTNET", "IP_SET_HASH_NET", "IP_SET_HASH_NETNET"),
    *("IP_SET_HASH_NETPORT", "IP_SET_HASH_NETIFACE", "IP_SET_LIST_SET"),
    *("IP_VS", "IP_VS_IPV6", "IP_VS_DEBUG", "IP_VS_TAB_BITS", "IP_VS_PROTO_TCP"),
    *("IP_VS_PROTO_UDP", "IP_VS_PROTO_ESP", "IP_VS_PROTO_AH", "IP_VS_PROTO_SCTP"),
    *_SCHEDULERS,
    *("IP_VS_SH_TAB_BITS", "IP_VS_MH_TAB_INDEX", "IP_VS_FTP", "IP_VS_NFCT"),
    *("NETDEVICES", "BONDING", "DUMMY"),
)


def lacking(text: str, release: str) -> list[Feature]:
    """What a configuration does not set of what kube-proxy's IPVS mode and the schedulers need.

    The dependencies of these are in the list, too. What came after the kernel
    `release` is not.
    """
    options = kernel_config.parse(text)
    found: dict[str, Feature] = {}

    def want(feature: Feature) -> None:
        there = kernel_config.enabled(options, feature.option, *feature.given_by)
        if there or feature.option in found:
            return
        for option in feature.depends_on:
            if option in BY_OPTION:
                want(BY_OPTION[option])
        found[feature.option] = feature

    for feature in FEATURES:
        if feature.wanted and new_enough(release, feature):
            want(feature)
    return list(found.values())


def add(text: str, features: list[Feature]) -> str:
    """The defconfig with `features` set, each in its place; nothing else is touched.

    A feature becomes a module where it can be one.
    """
    lines = text.splitlines()
    for feature in features:
        line = f"CONFIG_{feature.option}={'m' if feature.module else 'y'}"
        unset = f"# CONFIG_{feature.option} is not set"
        if unset in lines:
            lines[lines.index(unset)] = line
        else:
            lines.insert(_position(lines, feature.option), line)
    return "".join(f"{line}\n" for line in lines)


def _position(lines: list[str], option: str) -> int:
    """Where to insert: after the nearest option that Kconfig names before it, else at the end."""
    found = [next(iter(kernel_config.parse(line)), "") for line in lines]
    for earlier in reversed(_ORDER[: _ORDER.index(option)]):
        if earlier in found:
            return found.index(earlier) + 1
    return len(lines)


def diff(before: str, after: str, name: str) -> str:
    """The change as `patch` reads it; empty when there is none."""
    return "".join(
        difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            f"a/{name}",
            f"b/{name}",
        )
    )
