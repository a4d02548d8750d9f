"""The rules of kube-proxy's mode iptables, as text for iptables-restore.

pkg/proxy/iptables/proxier.go: syncProxyRules, writeServiceToEndpointRules. A packet that
begins a connection comes to KUBE-SERVICES, from there by its destination to the service's
chain, whose rules are drawn one after the other with 1/N, 1/(N-1) ... 1, and so to the
server's chain, which translates. Not here: masquerading, which the lab's wiring does not
need, and node ports. Not kube-proxy's: the mark of connections that close. Pure.
"""

from collections.abc import Iterator

from ipvsload.netfilter import chain_names
from ipvsload.netfilter.nat_service import CLOSING, NAME, NAMESPACE, Changes, NatService

NAT_CHAIN = "KUBE-SERVICES"


class IptablesRules:
    """The legacy program: only it is there in all of the lab's kernels."""

    program = ("iptables-legacy-restore", "-w", "5", "--noflush", "--counters")
    package = "iptables"
    modules_to_remove = ("iptable_nat", "iptable_filter")
    clear = (
        ("sh", "-c", "printf '*nat\\nCOMMIT\\n*filter\\nCOMMIT\\n' | iptables-legacy-restore -w 5"),
    )

    def write(self, changes: Changes) -> str:
        """Both tables as they are to be, without the old servers' chains, which stay."""
        return "\n".join((*_filter(changes), *_nat(changes), ""))


def _filter(changes: Changes) -> Iterator[str]:
    portals = '-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals"'
    yield from ("*filter", f":{NAT_CHAIN} - [0:0]", ":KUBE-FORWARD - [0:0]")
    yield from ("-F INPUT", "-F FORWARD")
    yield f"-A INPUT {portals} -j {NAT_CHAIN}"
    yield '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD'
    yield f"-A FORWARD {portals} -j {NAT_CHAIN}"
    yield "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP"
    yield (
        "-A FORWARD -m tcp -p tcp --tcp-flags FIN FIN"
        f" -j CONNMARK --set-xmark {CLOSING:#x}/{CLOSING:#x}"
    )
    for service in changes.services:
        if not service.drawn:
            yield f"{_to_service(service, 'has no endpoints')} -j REJECT"
    yield "COMMIT"


def _nat(changes: Changes) -> Iterator[str]:
    name = _name(changes.changed)
    chain = chain_names.iptables_service(name)
    removed = changes.changed not in changes.services
    yield from ("*nat", f":{NAT_CHAIN} - [0:0]", f":{chain} - [0:0]")
    for server in (*changes.new, *changes.gone):
        yield f":{chain_names.iptables_endpoint(name, server)} - [0:0]"
    yield "-F PREROUTING"
    yield f'-A PREROUTING -m comment --comment "kubernetes service portals" -j {NAT_CHAIN}'
    for service in changes.services:
        to_chain = chain_names.iptables_service(_name(service))
        yield f"{_to_service(service, 'cluster IP')} -j {to_chain}"
    if not removed:
        yield from _draws(changes.changed, chain)
    for server in changes.new:
        yield (
            f"-A {chain_names.iptables_endpoint(name, server)} -m comment --comment {name}"
            f" -m tcp -p tcp -j DNAT --to-destination {server}"
        )
    for server in changes.gone:
        yield f"-X {chain_names.iptables_endpoint(name, server)}"
    if removed:
        yield f"-X {chain}"
    yield "COMMIT"


def _draws(service: NatService, chain: str) -> Iterator[str]:
    name = _name(service)
    left = len(service.drawn)
    for server in service.drawn:
        # The last one is met by all that come to it.
        chance = f" -m statistic --mode random --probability {1 / left:.10f}" if left > 1 else ""
        yield (
            f'-A {chain} -m comment --comment "{name} -> {server}"{chance}'
            f" -j {chain_names.iptables_endpoint(name, server)}"
        )
        left -= 1


def _to_service(service: NatService, comment: str) -> str:
    return (
        f'-A {NAT_CHAIN} -m comment --comment "{_name(service)} {comment}" -m tcp -p tcp'
        f" -d {service.vip} --dport {service.port}"
    )


def _name(service: NatService) -> str:
    return chain_names.service_port(NAMESPACE, NAME, service.port_name)
