"""kube-proxy in a cluster: its configuration, its pods, and what it says when it fails.

In a kubeadm cluster (such as minikube and kind) it is a DaemonSet whose pods
read a ConfigMap once, at their start. Such a pod is Ready before it has written
anything to the kernel, and up to about 1.26 it went on with iptables where IPVS
failed. So nothing here trusts readiness.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import pods
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Api, ApiError, Object
from ipvsload.testbed.kubernetes.object_names import PROXY_LABEL, SYSTEM
from ipvsload.testbed.kubernetes.polling import wait_for
from ipvsload.testbed.kubernetes.proxy_config import ProxyConfig, read
from ipvsload.testbed.kubernetes.proxy_daemon_set import (
    ConfigPlace,
    ProxyDaemonSet,
    proxies_among,
)

RESTART_WITHIN = 120.0
_TAIL = 60
# What kube-proxy logs when it cannot do IPVS (cmd/kube-proxy/app/server_others.go
# up to 1.26; server_linux.go since) or cannot use a scheduler; the most telling
# comes first.
_SIGNS = (
    re.compile(r"Can't use the IPVS proxier:? ?(?P<why>.*)", re.I),
    re.compile(r"(?P<why>can't use ipvs proxier.*)", re.I),
    re.compile(r"(?P<why>can'?t set sysctl .*)", re.I),
    re.compile(r"(?P<why>.*(?:required kernel modules|IPVS proxier will not be used).*)", re.I),
    re.compile(r"(?P<why>.*(?:failed to (?:create|execute|ensure)|error running).*)", re.I),
    re.compile(r"(?P<why>.*unsupported.*proxy mode.*|.*must be .*(?:blank|iptables).*)", re.I),
)  # fmt: skip
_FALLBACK = re.compile(r"Using iptables Proxier|falling back to iptables", re.I)
_ERROR = re.compile(r"[EF]\d{4} \S+ +\d+ \S+\] |panic: |Error: |fatal error: ")
_KLOG = re.compile(r"^[IWEF]\d{4} \S+ +\d+ (\S+)\] ")


@dataclass(frozen=True, slots=True)
class Reason:
    """What a log says: whether kube-proxy fell back to iptables, why, whether it is down."""

    fallback: bool
    why: str
    down: bool = False


def read_log(text: str) -> Reason:
    """Find the reason in a proxy's log; empty where nothing is wrong. Pure."""
    lines = [_KLOG.sub("", line) for line in text.splitlines()]
    found = (sign.search(line) for sign in _SIGNS for line in reversed(lines))
    why = next((one["why"].strip(' "') for one in found if one), "")
    return Reason(bool(_FALLBACK.search(text)), why)


def daemon_sets(api: Api) -> list[ProxyDaemonSet]:
    """Read the DaemonSets that run kube-proxy; some clusters have none (k3s)."""
    return proxies_among(api.every("daemonsets", SYSTEM))


def config_map(api: Api, place: ConfigPlace) -> Object | None:
    """Read the ConfigMap; None where there is none with this key."""
    found = api.find("configmaps", place.name, SYSTEM)
    return found if found and place.key in (found.get("data") or {}) else None


def configuration(api: Api, place: ConfigPlace) -> ProxyConfig | None:
    """What kube-proxy is configured for there; None where there is no such configuration."""
    found = config_map(api, place)
    return None if found is None else read(found["data"][place.key])


def proxy_pods(api: Api, labels: Sequence[str] = ()) -> list[Object]:
    """Read kube-proxy's pods, without those that have been told to end.

    `labels` are those of its DaemonSets, which are read where none are given.
    """
    return [pod for one in labels or _labels(api) for pod in pods.present(api, SYSTEM, one)]


def _labels(api: Api) -> list[str]:
    found: list[ProxyDaemonSet] = []
    with suppress(ApiError):  # who may not list DaemonSets may still restore
        found = daemon_sets(api)
    return list(dict.fromkeys(one.labels for one in found)) or [PROXY_LABEL]


def restart(api: Api, tell: Tell) -> None:
    """End every proxy pod, and wait until others run on the same nodes.

    Nodes that are not there are told and not waited for: one that comes back
    starts its proxy anew. The DaemonSet's own template is not touched. Raises
    TestbedError with the proxy's words where it does not stay up.
    """
    labels = _labels(api)
    before = proxy_pods(api, labels)
    if not before:
        raise TestbedError(
            f"there are no kube-proxy pods ({' or '.join(labels)} in {SYSTEM}) to be restarted"
        )
    nodes = {pods.node(pod) for pod in before}
    absent = AbsentNodes(api, tell)
    old = {pods.uid(pod) for pod in before}
    for pod in before:
        api.delete("pods", pods.name(pod), SYSTEM)

    def missing() -> str | None:
        found = proxy_pods(api, labels)
        new = [pod for pod in found if pods.uid(pod) not in old]
        up = {pods.node(pod) for pod in new if pods.running(pod)}
        late = nodes - up
        late -= absent.among(late).keys()
        if not late:
            return None
        for pod in new:
            if pods.restarts(pod) > 1:
                raise TestbedError(f"kube-proxy does not stay up: {why_down(api, [pod])}")
        waiting = [pod for pod in new if pods.node(pod) in late and not pods.running(pod)]
        return pods.words_of(api, SYSTEM, waiting) or f"{len(up)} of {len(nodes)} run"

    wait_for("kube-proxy to start again", missing, RESTART_WITHIN, tell)


def why_down(api: Api, found: Sequence[Object]) -> str:
    """Say why these proxies are down, in their last words."""
    last = ""
    for pod in found:
        for previous in (False, True):
            text = pods.log(api, pod, _TAIL, previous=previous)
            if why := read_log(text).why:
                return why
            last = last or _last_words(text)
    complaint = next((text for pod in found if (text := pods.complaint(pod))), "")
    return "; its last words: ".join(filter(None, (complaint, last))) or "no reason is given"


def reasons(api: Api) -> list[tuple[str, Reason]]:
    """(node, what its proxy's log says went wrong) for each proxy with trouble."""
    found = []
    for pod in proxy_pods(api):
        reason = read_log(pods.log(api, pod, _TAIL))
        if pods.restarts(pod) and not (pods.running(pod) and reason.why):
            reason = Reason(reason.fallback, why_down(api, [pod]), not pods.running(pod))
        if reason.why or reason.fallback:
            found.append((pods.node(pod), reason))
    return found


def _last_words(text: str) -> str:
    """The last line that is an error, else the last line. Pure."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    return _KLOG.sub("", (errors or lines or [""])[-1]).strip()
