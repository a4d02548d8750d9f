"""The edit of kube-proxy's configuration: only mode and scheduler, whatever the text is."""

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipvsload.testbed.kubernetes.proxy_config import ConfigError, ProxyConfig, edit, read

HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
TAGS_THAT_DO_NOT_FIT = ("!!bool x", "!!timestamp x", '!!int ""')

# As kubeadm writes it, with what a person added.
KUBEADM = (
    """\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clientConnection:
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf  # do not touch
conntrack:
  maxPerCore: null
# chosen by Ada in 2021
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""   # rr
  strictARP: false
kind: KubeProxyConfiguration
metricsBindAddress: ""
"""
    'mode: "" \n'
    """\
someFieldOfTomorrow: {a: [1, 2]}
"""
)


def test_only_the_two_values_change() -> None:
    new = edit(KUBEADM, "ipvs", "lc")
    changed = [
        (before, after)
        for before, after in zip(KUBEADM.splitlines(), new.splitlines(), strict=True)
        if before != after
    ]
    assert changed == [
        ('  scheduler: ""   # rr', "  scheduler: lc   # rr"),
        ('mode: "" ', "mode: ipvs "),
    ]
    assert edit(new, "", "") == KUBEADM


@pytest.mark.parametrize(
    "body",
    [
        "",
        "mode:\n",
        "mode: ~\nipvs: ~\n",
        "ipvs:\n",
        "ipvs: {}\n",
        "ipvs: {strictARP: true}\nmode: iptables\n",
        "ipvs:\n    # deep\n    strictARP: true\n",
        "mode: 'iptables' # a comment\nipvs:\n  scheduler: &x wrr\n  other: 1\n",
        "mode: >-\n  iptables\n",
        "# nothing else\n",
        "ipvs:\n  scheduler: rr",
        # As people and other programs write it.
        'mode: iptables\t# changed by hand\nipvs:\n  scheduler: ""\t# default\n',
        "mode:\t\n",
        "mode: IPVS\nipvs: {scheduler:\trr }\n",
        "\"mode\": iptables\n'ipvs':\n  'scheduler': wrr\n",
        "ipvs:\n  # only a comment\nmode: |-\n  iptables\n# after it\nlast: 1\n",
        "mode: !!str iptables\nipvs: &x\n  strictARP: true\n",
        "ipvs: &x {strictARP: true}\nnumber: .nan\n",
        "? ipvs\n: strictARP: true\n",
        "m: &m iptables\nmode: *m\nx: &x {strictARP: true}\nipvs: *x\n",
        "x: &x {scheduler: rr, strictARP: true}\nipvs:\n  <<: *x\n",
        "...\n",
    ],
)
def test_every_way_of_writing_it(body: str) -> None:
    text = HEAD + body
    expected = load(text)
    expected["mode"] = "ipvs"
    expected["ipvs"] = {**(expected.get("ipvs") or {}), "scheduler": "lc"}
    new = edit(text, "ipvs", "lc")
    assert json.dumps(load(new), sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in new.splitlines() if line.startswith("#")
    ]


def load(text: str) -> dict[str, Any]:
    """As kube-proxy's own parser, which is libyaml's rules in Go."""
    value: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return value


def test_a_tab_before_a_comment_stays() -> None:
    text = HEAD + 'mode: iptables\t# changed by hand\nipvs:\n  scheduler: ""\t# default\n'
    new = HEAD + "mode: ipvs\t# changed by hand\nipvs:\n  scheduler: lc\t# default\n"
    assert edit(text, "ipvs", "lc") == new
    assert edit(new, "iptables", "") == text


def test_what_the_gardener_chart_renders() -> None:
    text = f"---\n{HEAD}metricsBindAddress: 0.0.0.0:10249\nmode: IPVS\nconntrack: {{min: 1}}"
    assert str(read(text)) == "ipvs, scheduler rr (by default)"
    assert edit(text, "ipvs", "lc") == text.replace(
        HEAD, f"---\nipvs: {{scheduler: lc}}\n{HEAD}".removeprefix("---\n")
    ).replace("IPVS", "ipvs")


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ('""', "127.0.0.1:10249"),
        ("0.0.0.0:10300", "127.0.0.1:10300"),
        ("'[::]:10249'", "127.0.0.1:10249"),
        ("10.0.0.5", "10.0.0.5:10249"),
        ("'fd00::5'", "[fd00::5]:10249"),
        ("'[fd00::5]:1'", "[fd00::5]:1"),
        ('":10300"', "127.0.0.1:10300"),
    ],
)
def test_where_it_tells_its_mode(written: str, endpoint: str) -> None:
    config = read(f"{HEAD}metricsBindAddress: {written}\n")
    assert config.status_endpoint() == endpoint
    assert read(HEAD).status_endpoint() == "127.0.0.1:10249"


def test_json_is_yaml() -> None:
    text = '{"apiVersion":"kubeproxy.config.k8s.io/v1alpha1","kind":"KubeProxyConfiguration"}'
    assert read(edit(text, "nftables", "sh")) == ProxyConfig("nftables", "sh")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not YAML"),
        ("just words", "not a YAML mapping"),
        ("", "not a YAML mapping"),
        (HEAD.replace("v1alpha1", "v9"), "v9 KubeProxyConfiguration"),
        (HEAD.replace("KubeProxyConfiguration", "Secret"), "Secret"),
        (HEAD + "ipvs: [1]\n", "not a mapping"),
        (HEAD + "---\nkind: Second\n", "not YAML"),
        # The scheduler has a namesake by alias: another field would change too.
        (HEAD + "ipvs: &x {scheduler: rr}\nother: *x\n", "by hand"),
        *((f"{HEAD}a: {odd}\n", "not YAML") for odd in TAGS_THAT_DO_NOT_FIT),
    ],
)
def test_what_cannot_be_changed_is_said(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        edit(text, "ipvs", "lc")


_keys = st.text("abcdefXYZ", min_size=1, max_size=6)
_scalars = st.none() | st.booleans() | st.integers() | st.text("ab: #-'\"{}\n\u00e9", max_size=8)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    extra=st.dictionaries(_keys, _values, max_size=5),
    ipvs=st.none() | st.dictionaries(_keys, _values, max_size=3),
    scheduler=st.none() | st.sampled_from(["", "rr", "wlc"]),
    mode=st.none() | st.sampled_from(["", "iptables", "ipvs"]),
    flow=st.none() | st.booleans(),
    indent=st.integers(2, 6),
)
def test_nothing_else_changes(
    extra: dict[str, Any],
    ipvs: dict[str, Any] | None,
    scheduler: str | None,
    mode: str | None,
    flow: bool | None,
    indent: int,
) -> None:
    value = {**extra, **yaml.safe_load(HEAD)}
    if ipvs is not None:
        value["ipvs"] = {**ipvs, **({} if scheduler is None else {"scheduler": scheduler})}
    if mode is not None:
        value["mode"] = mode
    text = yaml.safe_dump(value, default_flow_style=flow, indent=indent, allow_unicode=True)
    text = "# first\n" + text
    new = edit(text, "ipvs", "lc")
    value["mode"] = "ipvs"
    value["ipvs"] = {**(value.get("ipvs") or {}), "scheduler": "lc"}
    assert yaml.safe_load(new) == value
    assert new.startswith("# first\n")
    # Changing it again changes values in place: the way back is the same text.
    assert edit(edit(new, "iptables", "sh"), "ipvs", "lc") == new


LITERALS = ["", '""', "''", "{0}", '"{0}"', "'{0}'", "~", "&x {0}", "!!str {0}"]
AFTER = st.sampled_from(["", " ", "\t", "  # by hand", "\t# by hand", " \t # {{a: b}}"])
KEYS = st.sampled_from(["{0}", '"{0}"', "'{0}'"])
OTHERS = [
    'clusterCIDR: "10.0.0.0/8"\t# ours',
    "conntrack: {maxPerCore: null, min: 0}",
    "featureGates:\n    A: true\n\n    # why\n    B: false",
    "text: |\n  mode: not this one\n\n  ipvs: {scheduler: nor this}",
    "list:\n- mode: x\n- scheduler:\ty",
    "# mode: ipvs",
    "'quoted': \"a\\tb\"",
    "\u00e9\U0001f600: wide",
    "folded: >-\n  ipvs:\n    scheduler: z",
]


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str, str]:
    """A configuration as text; mode and scheduler as they are written in it, "" if not at all."""
    pieces = HEAD.splitlines() + draw(st.lists(st.sampled_from(OTHERS), unique=True))
    mode = scheduler = ""
    if draw(st.booleans()):
        mode = draw(st.sampled_from(LITERALS)).format(draw(st.sampled_from(["iptables", "IPVS"])))
        pieces.append(f"{draw(KEYS).format('mode')}: {mode}{draw(AFTER)}")
    if draw(st.booleans()):
        scheduler = draw(st.sampled_from(LITERALS)).format(draw(st.sampled_from(["rr", "wlc"])))
        scheduler = scheduler.replace("&x", "&y")
        entries = [f"{draw(KEYS).format('scheduler')}: {scheduler}"] if draw(st.booleans()) else []
        scheduler = scheduler if entries else ""
        entries += draw(st.sampled_from([[], ["strictARP: true"], ["excludeCIDRs: [1.2.3.4/32]"]]))
        entries = draw(st.permutations(entries))
        indent = " " * draw(st.integers(1, 5))
        key = draw(KEYS).format("ipvs")
        if draw(st.booleans()):
            pieces.append(f"{key}: {{{', '.join(entries)}}}{draw(AFTER)}")
        else:
            lines = [f"{indent}{one}{draw(AFTER)}" for one in entries]
            pieces.append("\n".join([f"{key}:{draw(AFTER)}", *lines]))
    start = draw(st.sampled_from(["", "---\n", "# ours\n---\n", "%YAML 1.1\n---\n", "\ufeff"]))
    end = draw(st.sampled_from(["", "\n", "\n\n# the end", "\n...\n"]))
    text = start + "\n".join(draw(st.permutations(pieces))) + end
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))), mode, scheduler


def taken_out(before: str, after: str) -> str:
    """What `after` lacks of `before`, where one place was changed."""
    start = 0
    while before[start : start + 1] == after[start : start + 1] != "":
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end]


@settings(deadline=None, max_examples=300)
@given(written(), st.sampled_from(["ipvs", "nftables"]), st.sampled_from(["lc", "mh", "sed"]))
def test_every_other_byte_stays(given: tuple[str, str, str], mode: str, scheduler: str) -> None:
    text, old_mode, old_scheduler = given
    before = read(text)
    new = edit(text, mode, before.scheduler)
    assert taken_out(text, new) in old_mode
    both = edit(new, mode, scheduler)
    assert taken_out(new, both) in old_scheduler
    assert both == edit(text, mode, scheduler)
    assert read(both).balances == (mode, scheduler)
    left, right = load(text.removeprefix("\ufeff")), load(both.removeprefix("\ufeff"))
    for value in left, right:
        value.pop("mode", None)
        value["ipvs"] = {**(value.get("ipvs") or {}), "scheduler": None}
    assert left == right
    # The line breaks are the file's own.
    assert len(set(re.findall(r"\r?\n", text + both))) <= 1


@pytest.mark.parametrize(
    ("value", "found"),
    [("null", ()), ("[]", ()), ("[203.0.113.0/24, 'fd00::/8']", ("203.0.113.0/24", "fd00::/8"))],
)
def test_the_addresses_that_the_ipvs_mode_leaves_alone(value: str, found: tuple[str, ...]) -> None:
    text = KUBEADM.replace("excludeCIDRs: null", f"excludeCIDRs: {value}")
    assert read(text).exclude_cidrs == found
    assert read(edit(text, "ipvs", "lc")).exclude_cidrs == found
