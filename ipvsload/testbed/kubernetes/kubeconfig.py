"""From a kubeconfig to an API, with a clear line for everything that can go wrong."""

import os
from pathlib import Path

from ipvsload.errors import IpvsloadError, TestbedError, UsageError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.api import Api

_IN_CLUSTER = "KUBERNETES_SERVICE_HOST"


def connect(context: str = "", tell: Tell = lambda _: None) -> Api:
    """Connect to the cluster of a kubeconfig's context; the current one if none is named.

    The files are kubectl's: $KUBECONFIG, else ~/.kube/config; in a pod without
    either, the pod's own account is used. Asks nothing of the cluster yet.
    Raises UsageError for an unknown context, TestbedError for a kubeconfig that
    is missing or broken.
    """
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import load_incluster_config, load_kube_config

    configuration = Configuration()
    where = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    there = any(Path(one).expanduser().is_file() for one in where.split(os.pathsep) if one)
    try:
        if not there and _IN_CLUSTER in os.environ and not context:
            load_incluster_config(client_configuration=configuration)
            name = "this cluster"
        elif not there:
            raise TestbedError(
                f"there is no kubeconfig: {where} does not exist; start a cluster (minikube"
                " start, kind create cluster) or name its file in KUBECONFIG"
            )
        else:
            name = _choose(where, context)
            load_kube_config(where, name, client_configuration=configuration, persist_config=False)
    except IpvsloadError:
        raise
    except Exception as error:  # not YAML, not a kubeconfig, a login plugin that fails
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise TestbedError(f"kubeconfig {where}: {words}") from None
    return Api(ApiClient(configuration), name, tell)


def _choose(where: str, context: str) -> str:
    from kubernetes.config import ConfigException, list_kube_config_contexts

    try:
        contexts, current = list_kube_config_contexts(where)
    except ConfigException:
        if not context:
            raise
        return context  # a file without a current context is right then
    known = [str(one["name"]) for one in contexts or []]
    if context and context not in known:
        raise UsageError(f"--context {context}: {where} knows {', '.join(known) or 'none'}")
    return context or str((current or {}).get("name", ""))
