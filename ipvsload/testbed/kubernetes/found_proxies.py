"""Finds what makes virtual servers of a cluster's Services: kube-proxy, or kube-router.

Both are found by their DaemonSets. Where kube-router does it, a kube-proxy is
either not there, or runs on no node; both at once would take each other's
traffic, or each other's virtual servers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.kubernetes import rights
from ipvsload.testbed.kubernetes.api import Api
from ipvsload.testbed.kubernetes.examined_proxy import ExaminedProxy, examine_proxy
from ipvsload.testbed.kubernetes.kube_router import KubeRouter
from ipvsload.testbed.kubernetes.object_names import PROXY, SYSTEM
from ipvsload.testbed.kubernetes.proxy_daemon_set import ProxyDaemonSet, proxies_among
from ipvsload.testbed.kubernetes.rights import Right
from ipvsload.testbed.kubernetes.router_daemon_set import (
    RouterDaemonSet,
    flag_bits,
    routers_among,
)
from ipvsload.testbed.kubernetes.service_proxy import ServiceProxy


@dataclass(frozen=True, slots=True)
class FoundProxies:
    """The DaemonSets of kube-proxy, and those of kube-router that balance Services.

    With `seen` false, this user may not list them, or need not.
    """

    proxies: Sequence[ProxyDaemonSet] = ()
    routers: Sequence[RouterDaemonSet] = ()
    seen: bool = False

    def rights(self, *, namespace_exists: bool) -> list[Right]:
        """Those that a run needs that has other balancers of it."""
        if self.routers:
            kept = rights.needed(namespace_exists=namespace_exists, switching=False)
            return kept + rights.ANNOTATE
        names = {place.name for one in self.proxies for place in one.places}
        return rights.needed(
            namespace_exists=namespace_exists,
            switching=True,
            config_maps=names if self.seen else {PROXY},
        )

    def examine(self, api: Api, scheduler_flags: str = "") -> ServiceProxy:
        """Look at what was found; touches nothing.

        Raises UsageError for flags that it cannot set, TestbedError where it is not
        understood, or cannot be told who balances.
        """
        if not self.routers:
            if scheduler_flags:
                raise UsageError(
                    f"--scheduler-flags {scheduler_flags}: kube-proxy sets no flags of a scheduler;"
                    " kube-router does, and was not found"
                )
            return examine_proxy(api, self.proxies) if self.seen else ExaminedProxy()
        busy = [one.name for one in self.proxies if not one.idle]
        if busy:
            names = ", ".join(one.name for one in self.routers)
            raise TestbedError(
                f"both kube-proxy (DaemonSet {', '.join(busy)}) and kube-router (DaemonSet {names})"
                " balance this cluster's Services: kube-proxy's rules take traffic before"
                " kube-router's virtual servers do, and in IPVS mode each deletes the other's. Let"
                " one of them do it: delete kube-proxy's DaemonSet and what it left (kube-proxy"
                " --cleanup), or give kube-router --run-service-proxy=false"
            )
        return KubeRouter(self.routers[0], flag_bits(scheduler_flags))


def find_proxies(api: Api) -> FoundProxies:
    """Read the DaemonSets, if this user may."""
    if not rights.may(api, rights.SEE_PROXY):
        return FoundProxies()
    found = api.every("daemonsets", SYSTEM)
    return FoundProxies(proxies_among(found), routers_among(found), seen=True)
