"""The rules are those that kube-proxy writes: its names, its order, its probabilities."""

import re

import pytest

from ipvsload.netfilter import chain_names
from ipvsload.netfilter.iptables_rules import IptablesRules
from ipvsload.netfilter.nat_kinds import NAT_KINDS, balancing_modules
from ipvsload.netfilter.nat_service import Changes, NatService
from ipvsload.scenario.balancers import BALANCERS

SERVERS = ["198.51.100.11:80", "198.51.100.12:80", "198.51.100.13:80"]
SERVICE = NatService("192.0.2.80", 81, dict.fromkeys(SERVERS, 1))
DRAINED = SERVICE._replace(weights=dict.fromkeys(SERVERS, 0))


def test_chains_have_the_names_that_kube_proxy_gives_them() -> None:
    # Those of its own tests: pkg/proxy/iptables and nftables, proxier_test.go.
    name = chain_names.service_port("ns1", "svc1", "p80")
    assert chain_names.iptables_service(name) == "KUBE-SVC-XPGD46QRK7WJZT7O"
    assert chain_names.iptables_endpoint(name, "10.180.0.1:80") == "KUBE-SEP-SXIVWICOYRO3J4NJ"
    service = "ns1", "svc1", "p80"
    assert chain_names.nftables_service(*service) == "service-ULMVA6XW-ns1/svc1/tcp/p80"
    assert (
        chain_names.nftables_endpoint(*service, "10.180.0.1:80")
        == "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80"
    )


def test_iptables_draws_one_after_the_other() -> None:
    text = IptablesRules().write(Changes([SERVICE], SERVICE, new=SERVERS))
    assert re.findall(r"--probability (\S+)", text) == ["0.3333333333", "0.5000000000"]
    draws = re.findall(r"^-A KUBE-SVC-\w+ .*-j (KUBE-SEP-\w+)$", text, re.M)
    targets = dict(re.findall(r"^-A (KUBE-SEP-\w+) .*-j DNAT --to-destination (\S+)$", text, re.M))
    assert [targets[chain] for chain in draws] == SERVERS
    assert "-d 192.0.2.80 --dport 81 -j KUBE-SVC-" in text
    assert "REJECT" not in text


def test_an_old_servers_chain_is_left_alone_with_its_counter() -> None:
    text = IptablesRules().write(Changes([SERVICE], SERVICE, new=SERVERS[2:]))
    assert len(re.findall(r"^:KUBE-SEP-", text, re.M)) == 1
    assert len(re.findall(r"--to-destination", text)) == 1
    text = NAT_KINDS["nftables"].rules.write(Changes([SERVICE], SERVICE, new=SERVERS[2:]))
    assert len(re.findall(r"^add counter", text, re.M)) == 1
    assert len(re.findall(r"^flush chain ip kube-proxy endpoint-", text, re.M)) == 0


@pytest.mark.parametrize(
    ("name", "draw"),
    [("nftables", "numgen random mod 3"), ("nftables-hash", "jhash ip saddr mod 3 seed 0x1")],
)
def test_nftables_chooses_a_number_for_each_server(name: str, draw: str) -> None:
    text = NAT_KINDS[name].rules.write(Changes([SERVICE], SERVICE, new=SERVERS))
    (found,) = re.findall(
        rf"^add rule ip kube-proxy service-\S+ {draw} vmap {{ (.*) }}$", text, re.M
    )
    wanted = [rf"{n} : goto endpoint-\S+__198.51.100.1{n + 1}/80" for n in range(3)]
    assert re.fullmatch(" , ".join(wanted), found)
    assert "add element ip kube-proxy service-ips { 192.0.2.80 . tcp . 81 : goto service-" in text


def test_a_service_whose_servers_get_nothing_refuses() -> None:
    text = IptablesRules().write(Changes([DRAINED], DRAINED))
    assert 'has no endpoints" -m tcp -p tcp -d 192.0.2.80 --dport 81 -j REJECT' in text
    assert not re.search(r"^-A KUBE-SVC", text, re.M)
    text = NAT_KINDS["nftables"].rules.write(Changes([DRAINED], DRAINED))
    assert "no-endpoint-services { 192.0.2.80 . tcp . 81 : goto reject-chain }" in text
    assert "vmap {" not in text


def test_a_service_that_goes_takes_its_chains_along() -> None:
    gone = SERVICE._replace(weights={})
    other = SERVICE._replace(port=82)
    text = IptablesRules().write(Changes([other], gone, gone=SERVERS))
    assert len(re.findall(r"^-X KUBE-SEP-", text, re.M)) == 3
    assert len(re.findall(r"^-X KUBE-SVC-", text, re.M)) == 1
    text = NAT_KINDS["nftables"].rules.write(Changes([other], gone, gone=SERVERS))
    assert len(re.findall(r"^delete chain ip kube-proxy endpoint-", text, re.M)) == 3
    assert len(re.findall(r"^delete chain ip kube-proxy service-", text, re.M)) == 1


def test_every_balancer_without_ipvs_has_rules() -> None:
    outside = [name for name, one in BALANCERS.items() if not one.in_ipvs_table]
    assert list(NAT_KINDS) == outside
    modules = balancing_modules(["rr", "nftables", "nftables-hash", "rr"])
    assert modules[0] == "ip_vs_rr"
    assert {"nft_numgen", "nft_hash", "nf_conntrack_netlink"} < set(modules)
    assert len(set(modules)) == len(modules)
