"""A whole session as a program of its own, for tests that kill it."""

from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import kubernetes_testbed as testbed
from ipvsload.testbed.kubernetes import polling as wait
from ipvsload.testbed.kubernetes import reachability as paths
from ipvsload.testbed.kubernetes import restore
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions

if __name__ == "__main__":
    paths._SYNC = restore._SYNC = 0.0
    wait._EVERY = 0.05
    made = testbed.KubernetesTestbed(ClusterOptions(), hz=20, tell=lambda _: None)
    made.start()
    made.wait_ready()
    made.begin(ServiceSpec("rr", (1,)))
    made.add_server(1)
    made.end()
    made.begin(ServiceSpec("lc", (1,)))
    made.end()
    made.close()
