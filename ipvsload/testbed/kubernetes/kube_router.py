"""kube-router in a cluster, in the place of kube-proxy: it is told by our own Service.

So nothing of the cluster's is changed, nothing is restarted, and there is
nothing to be put back but the Service itself.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from ipvsload.ipvs.saved_services import from_json
from ipvsload.ipvs.schedulers import FLAG_BITS, flag_names
from ipvsload.scenario.balancers import Balancer
from ipvsload.testbed.doctor_finding import DoctorFinding
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import pods, proxies
from ipvsload.testbed.kubernetes.api import Api, ApiError, Object
from ipvsload.testbed.kubernetes.foreign_services import excluded_by, explain, some_of
from ipvsload.testbed.kubernetes.journal import Journal
from ipvsload.testbed.kubernetes.node_lines import NodeState
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, SERVICE, SYSTEM
from ipvsload.testbed.kubernetes.proxies import Reason
from ipvsload.testbed.kubernetes.router_daemon_set import (
    FLAGS,
    ROUTER,
    SCHEDULER,
    TAKES,
    RouterDaemonSet,
    flag_words,
    marked_services,
)
from ipvsload.testbed.kubernetes.service_proxy import NodeFacts

_TAIL = 200
_SIGN = re.compile(r"Failed to (?:create|update|add|list|get list of) .*(?:ipvs|IPVS|sched).*")
"""What it logs when the kernel refuses something (service_endpoints_sync.go)."""
_ALL_FLAGS = sum(FLAG_BITS)
_TELLS_FLAGS = "netlink"
"""/proc/net/ip_vs has no flags of a scheduler (ip_vs_ctl.c, ip_vs_info_seq_show)."""


@dataclass(frozen=True, slots=True)
class KubeRouter:
    """The DaemonSet that was found, and the flags of schedulers that a run asks for."""

    found: RouterDaemonSet
    flags: int = 0
    place: None = None
    config: None = None
    fixed: str = ""

    @property
    def program(self) -> str:
        """Its name."""
        return ROUTER

    @property
    def version(self) -> str:
        """Its image's tag; "" where it has none."""
        return self.found.version

    def lacks(self, balancer: Balancer, _version: str = "") -> str:
        """It balances by IPVS only, and not by all schedulers."""
        if not balancer.in_ipvs_table:
            return (
                f"kube-router balances this cluster's Services, by IPVS and nothing else:"
                f" {balancer.name} can be measured where kube-proxy does it"
            )
        if balancer.name and balancer.name not in TAKES:
            return (
                f"kube-router balances this cluster's Services, and it sets {', '.join(TAKES)}"
                " only: for any other it takes rr, without a word"
            )
        return ""

    def use(self, api: Api, journal: Journal, balancer: Balancer, tell: Tell) -> Journal:
        """Annotate our Service. Raises TestbedError."""
        flags = self._flags(balancer.name)
        words = "".join(f", {flag}" for flag in flag_names(balancer.name, flags))
        tell(f"kube-router: our Service is annotated for {balancer.name}{words}")
        annotations = {SCHEDULER: balancer.name, FLAGS: flag_words(flags) or None}
        change: Object = {"metadata": {"annotations": annotations}}
        api.patch("services", SERVICE, change, NAMESPACE)
        return journal

    def differs(self, node: NodeState) -> str:
        """Whether the flags are others than those that were asked for, where that can be seen."""
        if node.service is None or node.reading != _TELLS_FLAGS:
            return ""
        scheduler = node.service["scheduler"]
        have, wanted = node.service["flags"] & _ALL_FLAGS, self._flags(scheduler)
        if have == wanted:
            return ""
        told = [", ".join(flag_names(scheduler, bits)) or "none" for bits in (have, wanted)]
        return f"{scheduler} has the flags {told[0]}, and not yet {told[1]}"

    def running(self, node: NodeState) -> str:
        """That it balances there; it tells no more of itself than its table does."""
        table = f"whose table is read by {node.reading}" if node.reading else "not heard of yet"
        return f"{self._named} balances on node {node.name}, {table}"

    def reasons(self, api: Api) -> Mapping[str, Reason]:
        """What its pods' logs and states say went wrong, as far as this user may look."""
        told: dict[str, Reason] = {}
        with suppress(ApiError):
            for pod in pods.present(api, SYSTEM, self.found.labels):
                if pods.restarts(pod) and not pods.running(pod):
                    told[pods.node(pod)] = Reason(False, proxies.why_down(api, [pod]), down=True)
                elif lines := _SIGN.findall(pods.log(api, pod, _TAIL)):
                    told[pods.node(pod)] = Reason(False, lines[-1])
        return told

    def findings(self, api: Api) -> Iterator[DoctorFinding]:
        """How schedulers are had of it, and what its pods complain of."""
        yield DoctorFinding(
            ROUTER,
            True,
            f"{self._named} balances Services (DaemonSet {self.found.name}): a run annotates its"
            f" own Service for {', '.join(TAKES)}, and changes nothing of the cluster's",
        )
        spared = (
            f"those in {', '.join(self.found.excluded)} (--excluded-cidrs) stay"
            if self.found.excluded
            else "--excluded-cidrs, which would spare some, is not set"
        )
        yield DoctorFinding(
            "virtual servers of others",
            True,
            "kube-router deletes each that no Service explains, at every sync, runs or not"
            f" (cloudnativelabs/kube-router#770); {spared}",
        )
        for node, reason in self.reasons(api).items():
            yield DoctorFinding(f"kube-router on {node}", False, f"says: {reason.why}")

    def node_findings(self, _name: str, _fact: NodeFacts) -> Iterator[DoctorFinding]:
        """Nothing: it tells no mode, and the table is told of each node."""
        yield from ()

    def table_findings(self, facts: Mapping[str, NodeFacts], api: Api) -> Iterator[DoctorFinding]:
        """Which virtual servers of others are there now: in excluded networks, or not for long."""
        try:
            every = api.every("services")
        except ApiError:  # a right that a run need not have: whose they are is not known
            return
        known = explain(every)
        marked = set(marked_services(every))
        for node, fact in sorted(facts.items()):
            addresses = fact.get("addresses", [])
            others = [from_json(one) for one in fact.get("others", [])]
            foreign = [
                one
                for one in others
                if one.key not in marked and not known.covers(one.key, addresses)
            ]
            safe = [one for one in foreign if excluded_by(one.key, self.found.excluded)]
            doomed = [one for one in foreign if one not in safe]
            for found, words in (
                (safe, "stay, since --excluded-cidrs covers them"),
                (doomed, "go with kube-router's next sync"),
            ):
                if found:
                    text = f"no Service explains {some_of(found)}: they {words}"
                    yield DoctorFinding(f"virtual servers on {node}", True, text)

    @property
    def _named(self) -> str:
        return f"{ROUTER} {self.version}".strip()

    def _flags(self, scheduler: str) -> int:
        """Those of the run's flags that it sets with this scheduler."""
        return self.flags if TAKES.get(scheduler) else 0
