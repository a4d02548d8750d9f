"""What kubeadm puts into a cluster for kube-proxy, as far as the tests need it."""

from typing import Any

CONFIG = """\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
# written by kubeadm, and then by a person
clientConnection:
  kubeconfig: {kubeconfig}
clusterCIDR: ""
conntrack:
  maxPerCore: 0
  min: 0
  tcpCloseWaitTimeout: 0s
  tcpEstablishedTimeout: 0s
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""    # the default
  strictARP: false
kind: KubeProxyConfiguration
mode: "{mode}"  # ours
"""


def proxy_config_map(kubeconfig: str, mode: str = "iptables") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "kube-proxy",
            "namespace": "kube-system",
            "labels": {"app": "kube-proxy"},
        },
        "data": {
            "config.conf": CONFIG.format(kubeconfig=kubeconfig, mode=mode),
            "kubeconfig.conf": "apiVersion: v1\nkind: Config\n",
        },
    }


def router_daemon_set(*arguments: str, image: str = "v1.5.3") -> dict[str, Any]:
    """As in kube-router's own daemonset/ folder."""
    made = proxy_daemon_set(f"docker.io/cloudnativelabs/kube-router:{image}")
    labels = {"k8s-app": "kube-router", "tier": "node"}
    made["metadata"] |= {"name": "kube-router", "labels": labels}
    made["spec"]["selector"]["matchLabels"] = labels
    made["spec"]["template"]["metadata"]["labels"] = labels
    spec = made["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    del container["command"]
    spec["volumes"][0]["name"] = container["volumeMounts"][0]["name"] = "kubeconfig"
    container["volumeMounts"][0]["mountPath"] = "/var/lib/kube-router"
    container |= {
        "name": "kube-router",
        "args": list(arguments),
    }
    return made


def proxy_daemon_set(image: str = "registry.k8s.io/kube-proxy:v1.20.2") -> dict[str, Any]:
    labels = {"k8s-app": "kube-proxy"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "kube-proxy", "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": True,
                    "automountServiceAccountToken": False,
                    "containers": [
                        {
                            "name": "kube-proxy",
                            "image": image,
                            "command": [
                                "/usr/local/bin/kube-proxy",
                                "--config=/var/lib/kube-proxy/config.conf",
                                "--hostname-override=$(NODE_NAME)",
                            ],
                            "volumeMounts": [
                                {"name": "kube-proxy", "mountPath": "/var/lib/kube-proxy"}
                            ],
                            "securityContext": {"privileged": True},
                        }
                    ],
                    "tolerations": [{"operator": "Exists"}],
                    "volumes": [{"name": "kube-proxy", "configMap": {"name": "kube-proxy"}}],
                },
            },
        },
    }


def merged(body: Any, change: Any) -> Any:
    """RFC 7386."""
    if not isinstance(change, dict):
        return change
    body = body if isinstance(body, dict) else {}
    for key, value in change.items():
        if value is None:
            body.pop(key, None)
        else:
            body[key] = merged(body.get(key), value)
    return body


def node_object(name: str, address: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {}},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"operatingSystem": "linux"},
        },
    }
