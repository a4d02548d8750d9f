"""The options of the command line for a cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """`context` is the kubeconfig's. `node` is the one that takes the load (NodePort).

    `image` is what is balanced, `port` its container's, and `service` the type
    of the Service; an image of "" is the default one. With `keep_proxy`,
    kube-proxy stays as it is. With `rootless`, the sidecar reads /proc instead
    of netlink. With `allow_deleting_virtual_servers`, virtual servers that
    kube-proxy did not make and deletes do not stop a run. `scheduler_flags` are
    names with commas between them, for kube-router to set.
    """

    context: str = ""
    image: str = ""
    port: int = 80
    service: str = "NodePort"
    node: str = ""
    sidecar_image: str = ""
    rootless: bool = False
    keep_proxy: bool = False
    allow_deleting_virtual_servers: bool = False
    scheduler_flags: str = ""
