"""What a run must know of a cluster before it touches anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import node_objects, rights
from ipvsload.testbed.kubernetes.api import Api, Object
from ipvsload.testbed.kubernetes.cluster_capabilities import KEPT, no_switch
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.examined_proxy import ExaminedProxy
from ipvsload.testbed.kubernetes.found_proxies import find_proxies
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.kubernetes.proxy_daemon_set import ConfigPlace
from ipvsload.testbed.kubernetes.service_proxy import ServiceProxy


@dataclass(frozen=True, slots=True)
class ExaminedCluster:
    """A cluster that this user may run in; `tell` hears each step.

    `nodes` are the addresses of the nodes that can have an IPVS table, by name;
    `entry` is the one that the load goes to. `proxy` is what makes virtual servers
    of Services, as far as it is known before the nodes are asked; `fixed` says why
    that stays as it is, "" where other balancers can be had of it.
    """

    api: Api
    options: ClusterOptions
    tell: Tell
    nodes: Mapping[str, str]
    entry: str
    fixed: str
    proxy: ServiceProxy

    @property
    def switchable(self) -> ConfigPlace | None:
        """Where kube-proxy's configuration can be changed; None where that is not done."""
        return None if self.fixed else self.proxy.place


def examine_cluster(options: ClusterOptions, tell: Tell) -> ExaminedCluster:
    """Look at the cluster and touch nothing. Raises UsageError, TestbedError."""
    api = connect(options.context, tell)
    tell(f"{api}, Kubernetes {api.version()}")
    exists = rights.namespace_exists(api)
    proxy: ServiceProxy
    if options.keep_proxy:
        rights.demand(api, rights.needed(namespace_exists=exists, switching=False))
        proxy, fixed = ExaminedProxy(), KEPT
    else:
        found = find_proxies(api)
        rights.demand(api, found.rights(namespace_exists=exists))
        proxy = found.examine(api, options.scheduler_flags)
        fixed = no_switch(proxy.fixed) if proxy.fixed else ""
    nodes = api.every("nodes")
    for node in filter(node_objects.linux, nodes):
        _tell_state(node, tell)
    able = [one for one in nodes if node_objects.linux(one) and node_objects.ready(one)]
    if proxy.config is not None:
        tell(f"kube-proxy is configured for {proxy.config}")
    return ExaminedCluster(
        api=api,
        options=options,
        tell=tell,
        nodes={node_objects.name(one): node_objects.address(one) for one in able},
        entry=node_objects.name(node_objects.choose(able, options.node)),
        fixed=fixed,
        proxy=proxy,
    )


def _tell_state(node: Object, tell: Tell) -> None:
    name = node_objects.name(node)
    if why := node_objects.absence(node):
        tell(f"node {name} is left out: {why}")
    elif node_objects.cordoned(node):
        tell(f"node {name} is cordoned: it is watched, and takes no new real servers")
