"""A cluster as a testbed: what a run changes, in order, and how it is put back.

Looked at first, touched second, and from then on everything can be taken back
from the cluster's own journal: see restore.py.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from ipvsload.errors import TestbedError
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.testbed import balancers
from ipvsload.testbed.balancers import Balancer
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, SidecarPipe, Target
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import connection_servers as placed
from ipvsload.testbed.kubernetes import journal as journals
from ipvsload.testbed.kubernetes import node_tables as table
from ipvsload.testbed.kubernetes import nodes as node_objects
from ipvsload.testbed.kubernetes import proxies, rights
from ipvsload.testbed.kubernetes import reachability as paths
from ipvsload.testbed.kubernetes.api import ApiError
from ipvsload.testbed.kubernetes.cluster_capabilities import (
    ALWAYS,
    KEPT,
    NO_KILL,
    NO_SWITCH,
    refuse_weights,
)
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.kubeconfig import Cluster, connect
from ipvsload.testbed.kubernetes.leftover_services import Tables
from ipvsload.testbed.kubernetes.log_followers import Followers
from ipvsload.testbed.kubernetes.manifests import namespace
from ipvsload.testbed.kubernetes.node_lines import Node
from ipvsload.testbed.kubernetes.node_sidecars import Watchers
from ipvsload.testbed.kubernetes.object_names import NAMESPACE
from ipvsload.testbed.kubernetes.polling import wait_for
from ipvsload.testbed.kubernetes.proxy_config import read
from ipvsload.testbed.kubernetes.proxy_switch import switch
from ipvsload.testbed.kubernetes.restore import restore
from ipvsload.testbed.kubernetes.server_pods import Servers
from ipvsload.testbed.tcp_timeouts import timeouts_here

_PODS_WITHIN = 300.0
"""Seconds for images to be pulled and pods to answer."""
_TABLE_WITHIN = 90.0
_DIAGNOSE_AFTER = 12.0


class KubernetesTestbed:
    """The cluster of a kubeconfig; `tell` hears each step."""

    name = "kubernetes"
    exclusive = False
    has_samples = True
    socket_broker = ""
    max_real_servers = MAX_SERVERS

    def __init__(self, options: ClusterOptions, *, hz: float, tell: Tell) -> None:
        self._options = options
        self._hz = hz
        self._tell = tell
        self._journal: journals.Journal | None = None
        self._touched = False
        self._watchers: Watchers | None = None
        self._tables: Tables | None = None
        self._servers: Servers | None = None
        self._run = 0
        self._balancer = balancers.find("")
        self._present: list[str] = []
        self._host, self._port = "", 0
        self._quiet, self._end = os.pipe()
        self.lacks = dict(ALWAYS)

    # -- up and down ----------------------------------------------------------

    def start(self) -> None:
        """Look at the cluster, and touch nothing. Raises UsageError, TestbedError."""
        self.cluster: Cluster = connect(self._options.context, self._tell)
        api = self._api = self.cluster.api
        self._tell(f"{self.cluster}, Kubernetes {api.version()}")
        exists = api.allowed("get", "namespaces", "", NAMESPACE) and bool(
            api.find("namespaces", NAMESPACE)
        )
        switching = not self._options.keep_proxy
        wanted = rights.needed(namespace_exists=exists, switching=switching)
        rights.demand(api, wanted)
        found_nodes = api.every("nodes")
        self._nodes = {
            node_objects.name(node): node_objects.address(node)
            for node in found_nodes
            if node_objects.linux(node) and node_objects.ready(node)
        }
        self._entry = node_objects.name(node_objects.choose(found_nodes, self._options.node))
        found = None if self._options.keep_proxy else proxies.config_map(api)
        if found is not None:
            self._tell(f"kube-proxy is configured for {read(found['data']['config.conf'])}")
        elif self._options.keep_proxy:
            self.lacks["scheduler"] = KEPT
        else:
            self.lacks["scheduler"] = NO_SWITCH
        self._proxy_version = proxies.version(api) if switching else ""

    def wait_ready(self) -> None:
        """Hold the cluster, and have a sidecar on every node."""
        self._hold()
        self._watchers = Watchers(
            self._api, self._options, self._nodes, self._entry, self._hz, self._tell
        )
        self._watchers.up(_PODS_WITHIN)
        followers = self._followers()
        self._tables = Tables(lambda: followers.nodes.values(), self._watchers.made)

    def _hold(self) -> None:
        api = self._api
        found = api.find("namespaces", NAMESPACE)
        if found and found["metadata"].get("deletionTimestamp"):
            wait_for(
                f"namespace {NAMESPACE} of the last run to be gone",
                lambda: "" if api.find("namespaces", NAMESPACE) else None,
                _PODS_WITHIN,
                self._tell,
            )
            found = None
        journal = self._mine = journals.new()
        # Before the first change: a Ctrl-C may come right behind it.
        self._touched = True
        if found is None:
            try:
                api.create("namespaces", namespace())
            except ApiError as error:
                if error.status != 409:  # made at this moment: the next step tells by whom
                    raise
        try:
            journals.take(api, journal)
        except journals.ActiveError:
            self._touched = False  # it is somebody else's
            raise
        self._journal = journal

    @property
    def kernel(self) -> dict[str, str]:
        """The balancing node's kernel, and who took part."""
        hello = self._node(self._entry).hello or {}
        return {
            "release": str(hello.get("kernel", "")),
            "provider": "node",
            "nodes": ", ".join(self._nodes),
            "balancing": ", ".join(node.name for node in self._balancing()),
            "reading": self._node(self._entry).reading,
            "kube_proxy": self._proxy_version,
        }

    def open_samples(self, hz: float) -> SidecarPipe:
        """All nodes' samples in one stream."""
        followers = self._followers()
        followers.open()
        return followers

    def tcp_timeouts(self) -> int:
        """TCP retransmission timeouts of this machine, whosever they are."""
        return timeouts_here()

    def fileno(self) -> int:
        """Never readable: what breaks is told by the samples' stream."""
        return self._quiet

    def broken(self) -> TestbedError | None:
        """See `fileno`."""
        return None

    def close(self) -> None:
        """Put the cluster back. Raises TestbedError with what to do where it cannot."""
        if not self._touched:
            return
        try:
            left = restore(self._api, self._tell, own=self._mine.id, tables=self._tables)
        except TestbedError as error:
            raise TestbedError(
                f"the cluster could not be put back: {error}. Try again with: {self._mend}"
            ) from None
        except KeyboardInterrupt:
            self._tell(f"the cluster is left changed; put it back with: {self._mend}")
            raise
        finally:
            if self._watchers:
                self._watchers.close()
        self._touched = False
        if left:
            raise TestbedError("; ".join(left))

    # -- a run ----------------------------------------------------------------

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        """Fresh pods and a fresh service, balanced by this, as the kernel's tables show."""
        refuse_weights(spec.weights)
        assert self._watchers
        count = len(spec.weights)
        balancer = balancers.find(spec.balancer)
        if not spec.balancer:
            mode = self._node(self._entry).proxy_mode
            balancer = balancers.of_proxy_mode(mode) or balancer
        self._run += 1
        servers = Servers(self._api, self._options.workload, self._run, self._tell)
        self._servers = servers
        self._watchers.release()
        if not balancer.in_ipvs_table:
            self._leave_ipvs(balancer)
        made = servers.create(count, self._watchers.node_port, self._watchers.cluster_ip)
        self._watchers.made.append(made)
        self._balancer = balancer
        self._present = self._await_pods(count)
        if not self._fixed:
            paths.settle(self._watchers.probes[self._entry])
        self._switch(balancer)
        self._host, self._port = self._watchers.aim(self._api, _PODS_WITHIN)
        self._await_table()
        self._warm()
        tables = self._balancing()
        if balancer.in_ipvs_table:
            # In the kernel's own order of joining.
            self._present = table.addresses(tables[0])
        baseline: dict[str, int] = {}
        for node in tables:
            for row in node.service["servers"] if node.service else ():
                baseline[row[0]] = baseline.get(row[0], 0) + row[5]
        found = balancer.name or (tables[0].service or {}).get("scheduler", "")
        key = self._watchers.key if balancer.in_ipvs_table else ""
        target = Target(key, self._host, self._port)
        return ServiceUnderTest(
            target, found, [(address, 1) for address in self._present], baseline
        )

    def set_balancer(self, balancer: str) -> None:
        """Restart kube-proxy with another; connections in the kernel's table stay."""
        if self._fixed:
            raise TestbedError(self.lacks["scheduler"])
        self._balancer = balancers.find(balancer)
        self._switch(self._balancer)
        self._await_table()

    def add_server(self, weight: int) -> str:
        """Scale by one, and wait until the new pod stands in the tables."""
        refuse_weights([weight])
        assert self._servers
        self._servers.add()
        have = set(self._present)
        found = [one for one in self._await_pods(len(have) + 1) if one not in have]
        self._present += found
        self._await_table()
        return found[0]

    def set_weight(self, address: str, weight: int) -> None:
        """Raises TestbedError."""
        refuse_weights([weight])

    def remove_server(self, address: str) -> None:
        """Its pod leaves the Service and goes on; the table gives it nothing new."""
        assert self._servers
        self._servers.remove(address)
        self._present.remove(address)
        self._await_table()

    def kill_server(self, address: str) -> NoReturn:
        """Raises TestbedError."""
        raise TestbedError(NO_KILL)

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None]:
        """What the nodes' connection tables said; waits for their next readings."""
        return placed.chosen(self._balancing(), clients)

    def end(self) -> None:
        """The run's service and pods go; the next one begins with none of its traces."""
        if self._servers:
            self._servers.delete()
            self._servers = None
        for node in self._followers().nodes.values():
            node.placed.clear()

    # -- waiting --------------------------------------------------------------

    def _switch(self, balancer: Balancer) -> None:
        if self._fixed or not balancer.name:
            return
        assert self._journal
        scheduler = balancer.name if balancer.in_ipvs_table else ""
        self._journal = switch(self._api, self._journal, balancer.proxy_mode, scheduler, self._tell)

    def _await_pods(self, count: int) -> list[str]:
        servers = self._servers
        assert servers
        ready: list[str] = []

        def look() -> str | None:
            ready[:] = servers.ready()
            if len(ready) >= count:
                return None
            return servers.waiting() or f"{len(ready)} of {count} are ready"

        wait_for(f"{count} real servers", look, _PODS_WITHIN, self._tell)
        return ready

    def _await_table(self) -> None:
        """Raises TestbedError with what kube-proxy says where it does not come to it."""
        began = time.monotonic()
        asked = [0.0]

        def look() -> str | None:
            followers = self._followers()
            if followers.failure:
                raise followers.failure
            nodes = self._balancing()
            missing = table.lacking(nodes, self._balancer, self._present)
            if missing and time.monotonic() - max(began, asked[0]) > _DIAGNOSE_AFTER:
                asked[0] = time.monotonic()
                told = self._diagnosis(nodes)
                if "fallen back" in told or "does not stay up" in told:
                    raise TestbedError(told)
            return missing

        what = f"the kernel's tables to show {self._balancer.name or 'the service'}"
        try:
            wait_for(what, look, _TABLE_WITHIN, self._tell)
        except TestbedError as error:
            told = self._diagnosis(self._balancing())
            raise TestbedError(
                f"{error}; {told}" if told and told not in str(error) else str(error)
            ) from None

    def _diagnosis(self, nodes: Sequence[Node]) -> str:
        found = {}
        if not self._options.keep_proxy:
            with suppress(TestbedError):
                found = dict(proxies.reasons(self._api))
        return table.failure(nodes, self._balancer, found)

    def _warm(self) -> None:
        assert self._watchers
        address = self._watchers.probes[self._entry]
        reached = paths.warm(address, len(self._present), self._tell)
        if not reached and self._options.workload.service == "NodePort":
            raise TestbedError(
                f"this machine cannot reach port {address[1]} of node {self._entry}"
                f" ({address[0]}), so it cannot send load there: run ipvsload where the nodes'"
                " addresses are reachable, or in the cluster with --service ClusterIP"
            )
        # Two samples more, so that these connections are not taken for a ping's.
        time.sleep(2 / self._hz + 0.3)

    def _leave_ipvs(self, balancer: Balancer) -> None:
        """To this mode, with none of ours in the tables: kube-proxy 1.20 would leave them there."""
        found = proxies.config_map(self._api)
        if self._fixed or found is None or read(found["data"]["config.conf"]).mode != "ipvs":
            return
        assert self._watchers
        assert self._tables
        self._watchers.withdraw_probe()
        self._tables.let_go(self._tell)
        self._switch(balancer)
        self._watchers.offer_probe()

    @property
    def _mend(self) -> str:
        context = self._options.context
        return "ipvsload restore" + (f" --context {context}" if context else "")

    @property
    def _fixed(self) -> bool:
        """Whether kube-proxy stays as it is."""
        return "scheduler" in self.lacks

    def _balancing(self) -> list[Node]:
        """The nodes that may take the load."""
        nodes = self._followers().nodes
        if self._options.workload.service == "NodePort":
            return [nodes[self._entry]]
        return list(nodes.values())

    def _node(self, name: str) -> Node:
        return self._followers().nodes[name]

    def _followers(self) -> Followers:
        if self._watchers is None or self._watchers.followers is None:
            raise TestbedError("the sidecars are not up")
        return self._watchers.followers
