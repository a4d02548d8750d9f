"""What the cluster doctor says of virtual servers that kube-proxy did not make."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ipvsload.ipvs.saved_services import SavedService, from_json
from ipvsload.scenario.balancers import BALANCERS, Balancer
from ipvsload.testbed.doctor_finding import DoctorFinding
from ipvsload.testbed.kubernetes.api import Object
from ipvsload.testbed.kubernetes.foreign_services import (
    Explanation,
    deleted_by,
    explain,
    some_of,
)


def foreign_findings(
    facts: Mapping[str, Mapping[str, Any]], services: Iterable[Object], excluded: Sequence[str]
) -> Iterator[DoctorFinding]:
    """One for each node that has such, by what its pod told. Pure.

    What only a mode without IPVS deletes is not in the way of a run of schedulers.
    `services` are the cluster's, `excluded` are kube-proxy's ipvs.excludeCIDRs.
    """
    known = explain(services)
    for node, fact in sorted(facts.items()):
        foreign = _foreign(fact, known)
        for balancer in {
            one.proxy_mode: one for one in BALANCERS.values() if one.proxy_mode
        }.values():
            doomed = [one for one in foreign if deleted_by(balancer, one.key, excluded)]
            if not doomed or fact["proxy_mode"] == balancer.proxy_mode:
                continue
            yield DoctorFinding(
                f"virtual servers on {node}",
                not balancer.in_ipvs_table,
                f"kube-proxy in mode {balancer.proxy_mode} deletes {some_of(doomed)}, which no"
                f" Service explains: a run with that mode is refused without"
                f" --allow-deleting-virtual-servers{_spare(balancer)}",
            )


def _foreign(fact: Mapping[str, Any], known: Explanation) -> list[SavedService]:
    addresses = fact.get("addresses", [])
    found = [from_json(one) for one in fact.get("others", [])]
    return [one for one in found if not known.covers(one.key, addresses)]


def _spare(balancer: Balancer) -> str:
    return "; ipvs.excludeCIDRs spares what it covers" if balancer.in_ipvs_table else ""
