"""Our namespace's end: it goes with the last pod in it, also where that one's node is not there.

The cluster waits for a node to say that a pod has ended, and a node that is
down says nothing. Our pods there hold nothing that could be lost, so their
objects are removed without that word; the node ends the programs when it is back
(kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, "forced termination").
"""

from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import pods
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Api, ApiError
from ipvsload.testbed.kubernetes.object_names import NAMESPACE
from ipvsload.testbed.kubernetes.polling import wait_for


def wait_for_end(api: Api, what: str, within: float, tell: Tell) -> list[str]:
    """Wait until the namespace, which is being deleted, is gone.

    Returns what is left for a person: pods on absent nodes that this user may
    not remove. Raises TestbedError after `within` seconds.
    """
    absent = AbsentNodes(api)
    refused: dict[str, str] = {}
    tried: set[str] = set()

    def missing() -> str | None:
        if api.find("namespaces", NAMESPACE) is None:
            return None
        found = {pods.name(pod): pods.node(pod) for pod in api.every("pods", NAMESPACE)}
        gone = absent.among(filter(None, found.values()))
        stuck = {name: node for name, node in found.items() if node in gone}
        for name in stuck.keys() - tried:
            tried.add(name)
            tell(f"pod {name} is removed without the word of node {stuck[name]}, which is away")
            try:
                api.delete("pods", name, NAMESPACE, grace_s=0)
            except ApiError as error:
                if error.status != 403:
                    raise
                refused[name] = stuck[name]
        if found and found.keys() <= refused.keys():
            return None
        return ", ".join(f"pod {name}" for name in found)

    wait_for(what, missing, within, tell)
    if not refused:
        return []
    return [
        f"namespace {NAMESPACE} goes when node {' and '.join(sorted(set(refused.values())))} is"
        f" back, or with: kubectl -n {NAMESPACE} delete pod --force --grace-period=0"
        f" {' '.join(sorted(refused))}"
    ]
