"""Names of everything that this testbed makes in a cluster.

There is one fixed namespace, so that rights can be granted for it in advance,
and so that two runs always see each other.
"""

NAMESPACE = "ipvsload"
JOURNAL = "ipvsload-journal"
SIDECAR = "ipvsload-sidecar"
EXAMINER = "ipvsload-doctor"
RESTORER = "ipvsload-restorer"
SERVICE = "ipvsload"
PROBE = "ipvsload-probe"
"""The same pods on another port: what warms paths and compares clocks is not counted in SERVICE."""
SERVERS = "ipvsload-servers"

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = {MANAGED_BY: "ipvsload"}
SELECT_OURS = f"{MANAGED_BY}=ipvsload"
MADE = "ipvsload/made-by-a-run"
"""A label of the namespace: a run has made it, so it is removed with the run."""
ROLE = "ipvsload/role"
RUN = "ipvsload/run"
JOINED = "ipvsload/joined"
"""A label of the real servers' pods: the Service selects those that say "yes"."""

SYSTEM = "kube-system"
PROXY = "kube-proxy"
PROXY_LABEL = "k8s-app=kube-proxy"
