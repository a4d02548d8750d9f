"""The options of the command line for a cluster."""

from dataclasses import dataclass, field

from ipvsload.testbed.kubernetes.manifests import PYTHON, ServerWorkload


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """`context` is the kubeconfig's. `node` is the one that takes the load (NodePort).

    With `keep_proxy`, kube-proxy stays as it is. With `rootless`, the sidecar
    reads /proc instead of netlink.
    """

    context: str = ""
    workload: ServerWorkload = field(default_factory=ServerWorkload)
    sidecar_image: str = PYTHON
    node: str = ""
    rootless: bool = False
    keep_proxy: bool = False
