"""What a person says of a cluster on the command line."""

from dataclasses import dataclass, field

from ipvsload.testbed.kubernetes.manifests import PYTHON, ServerWorkload


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """`context` is the kubeconfig's; `node` takes the load (NodePort).

    `keep_proxy` leaves kube-proxy alone; `rootless` reads /proc instead of netlink.
    """

    context: str = ""
    workload: ServerWorkload = field(default_factory=ServerWorkload)
    sidecar_image: str = PYTHON
    node: str = ""
    rootless: bool = False
    keep_proxy: bool = False
