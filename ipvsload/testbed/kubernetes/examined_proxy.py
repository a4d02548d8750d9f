"""What kube-proxy is in this cluster, how it is configured, and why it may have to stay so."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.doctor_finding import DoctorFinding
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import cluster_findings, proxies
from ipvsload.testbed.kubernetes.api import Api, Object
from ipvsload.testbed.kubernetes.cluster_capabilities import no_switch
from ipvsload.testbed.kubernetes.foreign_findings import foreign_findings
from ipvsload.testbed.kubernetes.journal import Journal
from ipvsload.testbed.kubernetes.node_lines import NodeState
from ipvsload.testbed.kubernetes.object_names import PROXY
from ipvsload.testbed.kubernetes.proxies import Reason
from ipvsload.testbed.kubernetes.proxy_config import ConfigError, ProxyConfig, edit, read
from ipvsload.testbed.kubernetes.proxy_daemon_set import ConfigPlace, ProxyDaemonSet
from ipvsload.testbed.kubernetes.proxy_switch import switch
from ipvsload.testbed.kubernetes.service_proxy import NodeFacts

_NONE = "no DaemonSet in kube-system runs it (k3s, RKE2 and some managed clusters have none)"
_IMMUTABLE = (
    "{} is immutable: nobody can edit it. It would take a new ConfigMap under another name, and"
    " the DaemonSet's volume changed to that, which a run does not do (and whoever manages the"
    " cluster may undo: set the mode there; Gardener: spec.kubernetes.kubeProxy.mode)"
)


@dataclass(frozen=True, slots=True)
class ExaminedProxy:
    """`version` is its image's tag; "" where that is not known.

    `place` has its configuration; None where no ConfigMap does. `config` is what is
    configured, by whatever means; None where that cannot be read. `fixed` says why
    this program cannot change it, "" where it can: then there is a place.
    """

    version: str = ""
    place: ConfigPlace | None = None
    config: ProxyConfig | None = None
    fixed: str = ""

    @property
    def program(self) -> str:
        """Its name."""
        return PROXY

    def lacks(self, balancer: Balancer, version: str = "") -> str:
        """Modes that came after this version."""
        found = re.match(r"v?(\d+)\.(\d+)", version)
        if found is None or (int(found[1]), int(found[2])) >= balancer.since:
            return ""
        first = ".".join(map(str, balancer.since))
        return f"kube-proxy {version} does not have this mode, {first} has"

    def use(self, api: Api, journal: Journal, balancer: Balancer, tell: Tell) -> Journal:
        """Change mode and scheduler in its configuration, and restart it. Raises TestbedError."""
        if self.place is None:
            return journal
        scheduler = balancer.name if balancer.in_ipvs_table else ""
        return switch(api, journal, self.place, balancer.proxy_mode, scheduler, tell)

    def differs(self, _node: NodeState) -> str:
        """Nothing: it is told no more than mode and scheduler."""
        return ""

    def running(self, node: NodeState) -> str:
        """What it says of itself on the node, beside what is configured."""
        words = cluster_findings.of_running(node.proxy_mode or "", node.proxy_version, self.config)
        return f"kube-proxy on node {node.name} {words}"

    def reasons(self, api: Api) -> Mapping[str, Reason]:
        """What its logs say went wrong, by node."""
        return dict(proxies.reasons(api))

    def findings(self, api: Api) -> Iterator[DoctorFinding]:
        """How it is configured, whether it can be switched, and what its logs complain of."""
        if self.config is not None:
            where = f"in {self.place}" if self.place else "by flags"
            text = f"configured for {self.config} {where}, image {self.version or 'without a tag'}"
            yield DoctorFinding("kube-proxy", True, text)
        if self.fixed:
            yield DoctorFinding("switching", True, no_switch(self.fixed))
        for node, reason in proxies.reasons(api):
            words = "has fallen back to iptables" if reason.fallback and reason.why else "says"
            if reason.why:
                yield DoctorFinding(f"kube-proxy on {node}", False, f"{words}: {reason.why}")

    def node_findings(self, name: str, fact: NodeFacts) -> Iterator[DoctorFinding]:
        """What runs there: by its own words, and by the table."""
        mode, version = fact["proxy_mode"], fact["proxy_version"]
        good = not cluster_findings.differs(mode, self.config)
        text = cluster_findings.of_running(mode, version, self.config)
        yield DoctorFinding(f"kube-proxy on {name}", good, text)
        # kube-ipvs0 has the addresses of the IPVS mode: without it, the table is somebody else's.
        if self.config and good and fact["kube_ipvs0"]:
            text = cluster_findings.of_table(fact["schedulers"], self.config)
            if text:
                yield DoctorFinding(f"scheduler on {name}", False, text)

    def table_findings(self, facts: Mapping[str, NodeFacts], api: Api) -> Iterator[DoctorFinding]:
        """What a switch would delete, and what its versions do about IPVS."""
        if self.config and not self.fixed:
            yield from foreign_findings(facts, api.every("services"), self.config.exclude_cidrs)
        told = {fact["proxy_version"] for fact in facts.values()} - {""} or {self.version}
        for version in sorted(told - {""}):
            text = cluster_findings.of_version(version)
            yield DoctorFinding(f"kube-proxy {version}", True, text)


def examine_proxy(api: Api, found: Sequence[ProxyDaemonSet]) -> ExaminedProxy:
    """Look at the configuration of these DaemonSets. Touches nothing.

    Raises ConfigError for one that is not understood, or cannot be edited.
    """
    if not found:
        return ExaminedProxy(fixed=_NONE)
    first = found[0]
    if first.fixed:
        return ExaminedProxy(first.version, config=first.flags, fixed=first.fixed)
    if any(one.places != first.places for one in found):
        names = ", ".join(one.name for one in found)
        text = f"{len(found)} DaemonSets run it, each with a configuration of its own: {names}"
        return ExaminedProxy(first.version, fixed=text)
    for place in first.places:
        held = proxies.config_map(api, place)
        if held is not None:
            return _of_config_map(first.version, place, held)
    wanted = " or ".join(map(str, first.places))
    text = f"its DaemonSet {first.name} reads {wanted}, and that is not there"
    return ExaminedProxy(first.version, fixed=text)


def _of_config_map(version: str, place: ConfigPlace, held: Object) -> ExaminedProxy:
    text = held["data"][place.key]
    try:
        config = read(text)
        if held.get("immutable"):
            return ExaminedProxy(version, place, config, _IMMUTABLE.format(place))
        edit(text, "ipvs", "lc" if config.scheduler != "lc" else "rr")
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None
    return ExaminedProxy(version, place, config)
