"""Variants: entries under `schedulers` with settings, their labels, and what bad ones say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.schedulers import SCHEDULERS, flag_bits, flag_names
from ipvsload.ipvs.sysctls import DECIDING_SYSCTLS, FIXED_SYSCTLS, SETTABLE_SYSCTLS
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.scenario.load import parse_scenario
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.variant import PRESENT, Variant, of_label
from tests.scenario.test_scenario_transcript import GOOD, said

BY_PORT = "{label: by-port, scheduler: sh, flags: [sh-port]}"


def with_entry(entry: str) -> str:
    return GOOD.replace("[rr, lc]", f"[rr, {entry}]")


def parsed(entry: str) -> Scenario:
    return parse_scenario(with_entry(entry), "t.yaml")


def test_a_name_alone_is_a_scheduler_without_settings() -> None:
    rr, lc = parse_scenario(GOOD, "t.yaml").schedulers
    assert (rr.label, rr.scheduler, lc.label) == ("rr", "rr", "lc")
    assert rr == Variant(scheduler="rr")
    assert not rr.settings
    assert not list(rr.needs())


def test_all_settings_reach_a_testbed() -> None:
    entry = (
        "{scheduler: sh, flags: [sh-port, sh-fallback], persistence: 1m, netmask: 24,"
        " sysctls: {conn_reuse_mode: 0}, timeouts: {tcp: 3s, tcpfin: 2}, label: all-of-it}"
    )
    variant = parsed(entry).schedulers[1]
    assert variant.settings == BalancerSettings(
        flags=("sh-port", "sh-fallback"),
        persistence=60,
        netmask=24,
        sysctls={"conn_reuse_mode": 0},
        timeouts={"tcp": 3, "tcp_fin": 2},
    )
    assert dict(variant.needs()) == {
        "flags": "flags: [sh-port, sh-fallback]",
        "persistence": "persistence: 60s",
        "netmask": "netmask: 24",
        "sysctls": "sysctls: {conn_reuse_mode: 0}",
        "timeouts": "timeouts: {tcp: 3s, tcpfin: 2s}",
    }


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        ("{scheduler: lc}", "lc"),
        ("{scheduler: lc, forwarding: dr}", "lc-dr"),
        ("{scheduler: sh, flags: [sh-port]}", "sh-port"),
        ("{scheduler: mh, flags: [mh-port, mh-fallback]}", "mh-port-fallback"),
        ("{scheduler: rr, persistence: 60s, netmask: 24}", "rr-persistence-60s-netmask-24"),
        (
            "{scheduler: rr, sysctls: {conn_reuse_mode: 0}, timeouts: {tcpfin: 2s, tcp: 3s}}",
            "rr-conn_reuse_mode-0-tcp-3s-tcpfin-2s",
        ),
    ],
)
def test_a_label_is_made_of_what_is_set(entry: str, label: str) -> None:
    assert parsed(entry).schedulers[1].label == label


def test_a_variant_may_forward_in_its_own_way() -> None:
    text = with_entry("{scheduler: lc, forwarding: tun}, iptables").replace(
        "service: {", "service: {forwarding: dr, "
    )
    scenario = parse_scenario(text, "t.yaml")
    ways = [one.forwarding_in(scenario.service.forwarding) for one in scenario.schedulers]
    assert ways == ["dr", "tun", "dr"]
    for variant, way in zip(scenario.schedulers, ways, strict=True):
        assert ("forwarding", f"forwarding: {way}") in scenario.needs((variant,))
    ours = parse_scenario(with_entry("{scheduler: lc, forwarding: tun}, iptables"), "t.yaml")
    # What another column asks for is not asked of it.
    assert "forwarding" not in dict(ours.needs((ours.schedulers[2],)))
    assert said(with_entry("{scheduler: iptables, forwarding: masq}"))[0].endswith(
        "'forwarding' is of IPVS: iptables always translates"
    )


def test_expectations_and_selectors_take_labels() -> None:
    text = with_entry(BY_PORT) + "  by-port: [failures == 0]\n  compare:\n"
    text += "    - conns{scheduler=by-port} == conns{scheduler=rr}\n"
    scenario = parse_scenario(text, "t.yaml")
    assert list(scenario.expect) == ["rr", "by-port", "compare"]
    assert said(text.replace("{scheduler=by-port}", "{scheduler=by-prt}")) == [
        "t.yaml:19:7: unknown scheduler 'by-prt'; did you mean 'by-port'?"
    ]
    assert said(text.replace("  by-port:", "  by-prt:")) == [
        "t.yaml:17:3: unknown scheduler 'by-prt' under 'expect'; did you mean 'by-port'?"
    ]
    assert said(text.replace("  by-port:", "  sh:")) == [
        "t.yaml:17:3: 'sh' is not among the schedulers of this scenario (rr and by-port)"
    ]


def test_a_command_line_takes_labels_and_other_schedulers() -> None:
    variants = parsed(BY_PORT).schedulers
    assert of_label("by-port", variants) is variants[1]
    assert of_label("wlc", variants) == Variant(scheduler="wlc")
    assert of_label("by-prt", variants) is None
    assert of_label("wlc", ()) == Variant(scheduler="wlc")
    assert not PRESENT.settings
    assert not PRESENT.label


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("{scheduler: shh}", "2:30: unknown scheduler 'shh'; did you mean 'sh'?"),
        ("12", "2:18: 'schedulers': expected the name of a scheduler, or a mapping with"
            " 'scheduler', found 12"),
        ("{flags: [sh-port]}", "2:18: the key 'scheduler' is missing"),
        ("{scheduler: sh, flag: [sh-port]}", "2:34: unknown key 'flag'; did you mean 'flags'?"),
        ("{scheduler: sh, flags: [sh-prot]}",
            "2:42: sh does not know the flag 'sh-prot'; did you mean 'sh-port'?"),
        ("{scheduler: sh, flags: [mh-port]}",
            "2:42: sh does not know 'mh-port', a flag of mh"),
        ("{scheduler: rr, flags: [sh-prt]}",
            "2:42: rr does not know the flag 'sh-prt'; did you mean 'sh-port'?"),
        ("{scheduler: sh, flags: [sh-port, sh-port]}",
            "2:51: 'sh-port' is listed twice; take one away"),
        ("{scheduler: rr, flags: [ops]}",
            "2:42: 'ops' (one-packet scheduling) is for UDP alone (ip_vs_core.c,"
            " ip_vs_schedule), and the load is HTTP over TCP: it would change nothing"),
        ("{scheduler: rr, netmask: 24}",
            "2:34: 'netmask' says whose server is kept: it needs 'persistence'"),
        ("{scheduler: rr, persistence: 60s, netmask: 129}",
            "2:61: 'netmask': must be at most 128, found 129"),
        ("{scheduler: rr, persistence: 60s, netmask: 33}",
            "2:61: an IPv4 address has 32 bits, and 'netmask' is 33"),
        ("{scheduler: rr, persistence: 1.5s}",
            "2:47: 'persistence': expected whole seconds, as the kernel counts them, found the"
            " text '1.5s'"),
        ("{scheduler: rr, persistence: a while}",
            "2:47: 'persistence': expected a time such as 10s, 500ms or 2m, found the text"
            " 'a while'"),
        ("{scheduler: rr, persistence: 0}", "2:47: 'persistence': must be more than 0, found 0"),
        ("{scheduler: rr, timeouts: {udp: 3s}}",
            "2:45: unknown key 'udp'; the keys are tcp and tcpfin"),
        ("{scheduler: rr, timeouts: {tcpfn: 3s}}",
            "2:45: unknown key 'tcpfn'; did you mean 'tcpfin'?"),
        ("{scheduler: rr, sysctls: {conn_reuse: 0}}",
            "2:44: unknown sysctl 'conn_reuse'; did you mean 'conn_reuse_mode'?"),
        ("{scheduler: rr, sysctls: {conn_reuse_mode: 4}}",
            "2:44: 'conn_reuse_mode' is a number from 0 to 3, found 4"),
        ("{scheduler: rr, sysctls: {conntrack: true}}",
            "2:55: 'conntrack': expected a whole number, found true"),
        ("{scheduler: rr, sysctls: {run_estimation: 0}}",
            "2:44: 'run_estimation' cannot be set for a run: without it the kernel does not"
            " refresh the counters that a run reads"),
        ("{scheduler: iptables, sysctls: {conntrack: 1}}",
            "2:40: 'sysctls' is of IPVS, and iptables balances without it"),
        ("{scheduler: nftables, timeouts: {tcp: 1}}",
            "2:40: 'timeouts' is of IPVS, and nftables balances without it"),
        ("{label: all, scheduler: lc}",
            "2:19: 'all' is a section of 'expect'; choose another label"),
        ("{label: lc, scheduler: sh}",
            "2:19: 'lc' is another scheduler's name; choose another label"),
        ("{label: l c, scheduler: sh}",
            "2:26: 'label': a label has letters, digits, - and _, and at most 64 of them, found"
            " 'l c'"),
        ("{label: rr, scheduler: rr, persistence: 60s}",
            "2:26: the label 'rr' is another scheduler's, too; choose another"),
        ("{scheduler: rr}", "2:1: 'rr' is listed twice; take one away"),
        ("{scheduler: rr, persistence: 60s, sysctls: {expire_quiescent_template: 1,"
            " expire_nodest_conn: 1}}",
            "2:18: what is set is too long for a name; give it a 'label'"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_explained_at_its_place(entry: str, line: str) -> None:
    assert said(with_entry(entry)) == [f"t.yaml:{line}"]


def test_every_sysctl_that_decides_can_be_set_or_has_a_reason() -> None:
    assert set(DECIDING_SYSCTLS) <= {*SETTABLE_SYSCTLS, *FIXED_SYSCTLS}
    assert not set(SETTABLE_SYSCTLS) & set(FIXED_SYSCTLS)
    assert all(DECIDING_SYSCTLS.get(name, 0) <= most for name, most in SETTABLE_SYSCTLS.items())


@given(st.sampled_from(sorted(SCHEDULERS)), st.data())
def test_flags_are_bits_and_bits_are_flags(name: str, data: st.DataObject) -> None:
    known = [flag for flag, _ in SCHEDULERS[name].flags]
    chosen = data.draw(st.lists(st.sampled_from(known), unique=True)) if known else []
    assert sorted(flag_names(name, flag_bits(name, chosen))) == sorted(chosen)
