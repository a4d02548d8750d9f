"""What a run must know of a cluster before it touches anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import node_objects, proxies, rights
from ipvsload.testbed.kubernetes.api import Api
from ipvsload.testbed.kubernetes.cluster_capabilities import KEPT, NO_SWITCH
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.kubeconfig import connect


@dataclass(frozen=True, slots=True)
class ExaminedCluster:
    """A cluster that this user may run in; `tell` hears each step.

    `nodes` are the addresses of the nodes that can have an IPVS table, by name;
    `entry` is the one that the load goes to. `fixed` says why kube-proxy stays
    as it is, "" where it can be switched; then `proxy_version` is its version.
    """

    api: Api
    options: ClusterOptions
    tell: Tell
    nodes: Mapping[str, str]
    entry: str
    fixed: str
    proxy_version: str


def examine_cluster(options: ClusterOptions, tell: Tell) -> ExaminedCluster:
    """Look at the cluster and touch nothing. Raises UsageError, TestbedError."""
    api = connect(options.context, tell)
    tell(f"{api}, Kubernetes {api.version()}")
    exists = rights.namespace_exists(api)
    rights.demand(api, rights.needed(namespace_exists=exists, switching=not options.keep_proxy))
    nodes = api.every("nodes")
    able = [one for one in nodes if node_objects.linux(one) and node_objects.ready(one)]
    fixed = KEPT if options.keep_proxy else ""
    if not fixed:
        config = proxies.configuration(api)
        fixed = NO_SWITCH if config is None else ""
        if config is not None:
            tell(f"kube-proxy is configured for {config}")
    return ExaminedCluster(
        api=api,
        options=options,
        tell=tell,
        nodes={node_objects.name(one): node_objects.address(one) for one in able},
        entry=node_objects.name(node_objects.choose(able, options.node)),
        fixed=fixed,
        proxy_version="" if options.keep_proxy else proxies.version(api),
    )
