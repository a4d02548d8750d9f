"""The edit of kube-proxy's configuration: only mode and scheduler, whatever the text is."""

from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipvsload.testbed.kubernetes.proxy_config import ConfigError, ProxyConfig, edit, read

HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"

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
    ],
)
def test_every_way_of_writing_it(body: str) -> None:
    text = HEAD + body
    expected = yaml.safe_load(text)
    expected["mode"] = "ipvs"
    expected["ipvs"] = {**(expected.get("ipvs") or {}), "scheduler": "lc"}
    new = edit(text, "ipvs", "lc")
    assert yaml.safe_load(new) == expected
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in new.splitlines() if line.startswith("#")
    ]


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
