"""The rules of kube-proxy's mode nftables, as text for `nft -f`.

pkg/proxy/nftables/proxier.go: setupNFTables, syncProxyRules, writeServiceToEndpointRules.
A map leads a packet that begins a connection to its service's chain, where one number is
drawn of as many as there are servers, and a second map leads to the server's chain, which
translates. Not here: masquerading, which the lab's wiring does not need, and node ports.
Not kube-proxy's: a named counter for each server, for the number of its connections; the
mark of connections that close; and a choice by a hash instead of a draw (`jhash`, as
nftables' own manual has it). Pure.
"""

from collections.abc import Iterator

from ipvsload.netfilter import chain_names
from ipvsload.netfilter.nat_service import CLOSING, NAME, NAMESPACE, Changes, NatService

TABLE = "kube-proxy"
RANDOM = "numgen random mod {}"
BY_CLIENT = "jhash ip saddr mod {} seed 0x1"
"""The same client, the same server. Without a seed the kernel draws a new one for each change."""
_KEY = "type ipv4_addr . inet_proto . inet_service : verdict"
_BY_DESTINATION = "ip daddr . meta l4proto . th dport vmap"


class NftablesRules:
    """The rules of a balancer called `name`, whose number of a server is the expression `choice`.

    In the expression {} is how many servers there are.
    """

    program = ("nft", "-f", "-")
    package = "nftables"
    modules_to_remove = ()
    clear = (("nft", "delete", "table", "ip", TABLE),)

    def __init__(self, name: str, choice: str) -> None:
        self._name = name
        self._choice = choice

    def write(self, changes: Changes) -> str:
        """One transaction: what there is already may be added again."""
        lines = (*_base(), *self._service(changes))
        return "\n".join((*lines, *_elements(changes), ""))

    def _service(self, changes: Changes) -> Iterator[str]:
        service = changes.changed
        chain = chain_names.nftables_service(NAMESPACE, NAME, service.port_name)
        yield f"add chain ip {TABLE} {chain}"
        for server in changes.new:
            endpoint, counter = _endpoint(service, server), self._counter(service, server)
            yield f"add counter ip {TABLE} {counter}"
            yield f"add chain ip {TABLE} {endpoint}"
            yield (
                f"add rule ip {TABLE} {endpoint}"
                f" meta l4proto tcp counter name {counter} dnat to {server}"
            )
        yield f"flush chain ip {TABLE} {chain}"
        if service.drawn:
            targets = (
                f"{number} : goto {_endpoint(service, server)}"
                for number, server in enumerate(service.drawn)
            )
            draw = self._choice.format(len(service.drawn))
            yield f"add rule ip {TABLE} {chain} {draw} vmap {{ {' , '.join(targets)} }}"
        for server in changes.gone:
            endpoint = _endpoint(service, server)
            yield f"flush chain ip {TABLE} {endpoint}"
            yield f"delete chain ip {TABLE} {endpoint}"
            yield f"delete counter ip {TABLE} {self._counter(service, server)}"

    def _counter(self, service: NatService, server: str) -> str:
        """What `nftables_table.py` reads; it must begin with a letter."""
        vip = f"{self._name}/tcp/{service.vip}/{service.port}"
        return f"{vip}/{_endpoint(service, server)}"


def _base() -> Iterator[str]:
    yield f'add table ip {TABLE} {{ comment "rules for kube-proxy" ; }}'
    yield f"add chain ip {TABLE} nat-prerouting {{ type nat hook prerouting priority -100 ; }}"
    yield f"add chain ip {TABLE} filter-input {{ type filter hook input priority 0 ; }}"
    yield f"add chain ip {TABLE} filter-forward {{ type filter hook forward priority 0 ; }}"
    yield from (f"add chain ip {TABLE} {one}" for one in ("services", "endpoints-check"))
    yield f"add chain ip {TABLE} reject-chain"
    yield f"add map ip {TABLE} service-ips {{ {_KEY} ; }}"
    yield f"add map ip {TABLE} no-endpoint-services {{ {_KEY} ; }}"
    check = "ct state new jump endpoints-check"
    for chain, *rules in (
        ("nat-prerouting", "jump services"),
        ("filter-input", check),
        ("filter-forward", check, f"tcp flags & fin == fin ct mark set ct mark | {CLOSING:#x}"),
        ("reject-chain", "reject"),
        ("services", f"{_BY_DESTINATION} @service-ips"),
        ("endpoints-check", f"{_BY_DESTINATION} @no-endpoint-services"),
    ):
        yield f"flush chain ip {TABLE} {chain}"
        yield from (f"add rule ip {TABLE} {chain} {rule}" for rule in rules)


def _elements(changes: Changes) -> Iterator[str]:
    yield f"flush map ip {TABLE} service-ips"
    yield f"flush map ip {TABLE} no-endpoint-services"
    for service in changes.services:
        there, verdict = "no-endpoint-services", "goto reject-chain"
        if service.drawn:
            chain = chain_names.nftables_service(NAMESPACE, NAME, service.port_name)
            there, verdict = "service-ips", f"goto {chain}"
        element = f"{service.vip} . tcp . {service.port} : {verdict}"
        yield f"add element ip {TABLE} {there} {{ {element} }}"
    if changes.changed not in changes.services:
        chain = chain_names.nftables_service(NAMESPACE, NAME, changes.changed.port_name)
        yield f"delete chain ip {TABLE} {chain}"


def _endpoint(service: NatService, server: str) -> str:
    return chain_names.nftables_endpoint(NAMESPACE, NAME, service.port_name, server)
