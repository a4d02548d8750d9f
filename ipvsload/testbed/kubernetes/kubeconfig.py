"""From a kubeconfig to an API, with a clear line for everything that can go wrong."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipvsload.errors import TestbedError, UsageError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.api import Api

_IN_CLUSTER = "KUBERNETES_SERVICE_HOST"


@dataclass(frozen=True, slots=True)
class Cluster:
    """`context` is its name in the kubeconfig, or "this cluster" inside a pod."""

    api: Api
    context: str

    def __str__(self) -> str:
        return f"context {self.context}, cluster at {self.api.server}"


def connect(context: str = "", tell: Tell = lambda _: None) -> Cluster:
    """Connect to the cluster of a kubeconfig's context; the current one if none is named.

    The files are kubectl's: $KUBECONFIG, else ~/.kube/config; in a pod without
    either, the pod's own account is used. Asks nothing of the cluster yet.
    Raises UsageError for an unknown context, TestbedError for a kubeconfig that
    is missing or broken.
    """
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

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
    except ConfigException as error:
        raise TestbedError(f"kubeconfig {where}: {_words(error)}") from None
    except (UsageError, TestbedError):
        raise
    except Exception as error:  # a file that is not YAML, a login plugin that fails
        raise TestbedError(f"kubeconfig {where}: {_words(error)}") from None
    return Cluster(Api(ApiClient(configuration), tell), name)


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
    return context or str(_name(current))


def _name(current: Any) -> str:
    return current["name"] if current else ""


def _words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__
