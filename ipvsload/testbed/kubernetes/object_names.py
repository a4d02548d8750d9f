"""What everything that this testbed makes in a cluster is called.

One fixed namespace, so that rights can be given for it beforehand, and so that
two runs cannot overlook each other.
"""

NAMESPACE = "ipvsload"
JOURNAL = "ipvsload-journal"
SIDECAR = "ipvsload-sidecar"
EXAMINER = "ipvsload-doctor"
SERVICE = "ipvsload"
PROBE = "ipvsload-probe"
"""The same pods under a port of its own: warming paths and clocks leaves no trace in SERVICE."""
SERVERS = "ipvsload-servers"

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = {MANAGED_BY: "ipvsload"}
SELECT_OURS = f"{MANAGED_BY}=ipvsload"
MADE = "ipvsload/made-by-a-run"
"""A label of the namespace: it was not there before, and goes when the run goes."""
ROLE = "ipvsload/role"
RUN = "ipvsload/run"
JOINED = "ipvsload/joined"
"""A label of the real servers' pods: the Service selects those that say "yes"."""

SYSTEM = "kube-system"
PROXY = "kube-proxy"
PROXY_LABEL = "k8s-app=kube-proxy"
CONFIG_KEY = "config.conf"
