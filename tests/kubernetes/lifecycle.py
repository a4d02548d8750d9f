"""A whole session as a program of its own, for tests that kill it."""

from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import cluster_session, polling, restore
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.kubernetes_testbed import KubernetesTestbed

if __name__ == "__main__":
    cluster_session._SYNC = restore._SYNC = 0.0
    polling._EVERY = 0.05
    made = KubernetesTestbed(
        ClusterOptions(allow_deleting_virtual_servers=True), hz=20, tell=lambda _: None
    )
    made.start()
    made.wait_ready()
    made.begin(ServiceSpec("rr", (1,)))
    made.add_server(1)
    made.end()
    made.begin(ServiceSpec("lc", (1,)))
    made.end()
    made.close()
