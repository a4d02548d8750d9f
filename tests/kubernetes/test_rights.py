"""Everything works with exactly the rights of the manifests: refused is what they do not grant."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.kubernetes import rights
from ipvsload.testbed.kubernetes.cluster_options import ClusterOptions
from ipvsload.testbed.kubernetes.found_proxies import find_proxies
from ipvsload.testbed.kubernetes.kubeconfig import connect
from ipvsload.testbed.kubernetes.kubernetes_testbed import KubernetesTestbed
from ipvsload.testbed.kubernetes.object_names import NAMESPACE, SYSTEM
from tests.kubernetes.apiserver import Refusal
from tests.kubernetes.foreign_table import THEIRS
from tests.kubernetes.kube_router_sim import RouterToy
from tests.kubernetes.toy import Toy

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes-testbed" / "rights.yaml"
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
DOCUMENTS = [one for one in yaml.safe_load_all(MANIFESTS.read_text()) if one]


def granted(verb: str, resource: str, namespace: str, name: str) -> bool:
    """RBAC: some rule of a role there names verb, resource and, if it names any, the object."""
    for role in DOCUMENTS:
        everywhere = role["kind"] == "ClusterRole"
        here = role["kind"] == "Role" and role["metadata"]["namespace"] == namespace
        for rule in role.get("rules", []) if everywhere or here else []:
            names = rule.get("resourceNames")
            fits = verb in rule["verbs"] and resource in rule["resources"]
            if fits and (names is None or name in names):
                return True
    return False


def asked(method: str, path: str) -> tuple[str, str, str, str]:
    """(verb, resource, namespace, name) of a request, as the API server's authorizer has it."""
    words = urlsplit(path).path.strip("/").split("/")
    words = words[2:] if words[0] == "api" else words[3:]
    namespace = ""
    if words[0] == "namespaces" and len(words) > 2:
        namespace, words = words[1], words[2:]
    name = words[1] if len(words) > 1 else ""
    resource = "/".join([words[0], *words[2:]])
    verb = "list" if method == "GET" and not name else VERBS[method]
    return verb, resource, namespace, name


def play(toy: Toy) -> set[tuple[str, str, str]]:
    """A session with exactly the rights of the manifests; those that it used."""
    for one in DOCUMENTS:
        if one["kind"] == "Namespace":
            toy.cluster.put("namespaces", "", one)
    before = toy.cluster.picture()
    used: set[tuple[str, str, str]] = set()

    def fault(method: str, path: str) -> Refusal | None:
        if path == "/version" or "selfsubject" in path:
            return None  # system:basic-user and system:public-info-viewer, everybody's
        verb, resource, namespace, name = asked(method, path)
        used.add((verb, resource, namespace))
        if granted(verb, resource, namespace, name):
            return None
        return Refusal(403, f"cannot {verb} {resource} {name} in {namespace}")

    def allowed(attributes: dict[str, Any]) -> bool:
        sub = attributes.get("subresource")
        resource = attributes["resource"] + (f"/{sub}" if sub else "")
        return granted(
            attributes["verb"],
            resource,
            attributes.get("namespace", ""),
            attributes.get("name", ""),
        )

    toy.cluster.fault, toy.cluster.allowed = fault, allowed
    testbed = KubernetesTestbed(
        ClusterOptions(allow_deleting_virtual_servers=True), hz=20, tell=lambda _: None
    )
    testbed.start()
    testbed.wait_ready()
    for scheduler in ("rr", "lc"):
        service = testbed.begin(ServiceSpec(scheduler, (1,)))
        testbed.add_server(1)
        testbed.remove_server(service.servers[0][0])
        testbed.end()
    testbed.close()
    assert toy.cluster.picture() == before
    return used


def test_a_session_with_exactly_the_rights_of_the_manifests(toy: Toy) -> None:
    toy.proxy.foreign.add(THEIRS)
    used = play(toy)
    # And no right too many, but those that only a failure needs.
    for right in rights.needed(namespace_exists=True, switching=True):
        told = right.resource == "events" or right.resource == "pods/log"
        away = right[:3] == ("delete", "pods", "ipvsload")  # of a node that is not there
        assert (right.verb, right.resource, right.namespace) in used or told or away, right


def test_kube_router_takes_less(toy_of: type[Toy], tmp_path: Path, monkeypatch: Any) -> None:
    assert toy_of is Toy  # it makes waits short
    with RouterToy(tmp_path) as routed:
        monkeypatch.setenv("KUBECONFIG", str(routed.kubeconfig))
        used = play(routed)
        asked_for = find_proxies(connect()).rights(namespace_exists=True)
    assert [one for one in asked_for if one.namespace == SYSTEM] == [rights.SEE_PROXY]
    assert {one for one in used if one[2] == SYSTEM} == {("list", "daemonsets", SYSTEM)}
    assert ("patch", "services", NAMESPACE) in used


def test_the_list_that_is_asked_for_is_the_manifests() -> None:
    wanted = {
        (right.verb, right.resource, right.namespace)
        for right in [*rights.needed(namespace_exists=True, switching=True), *rights.ANNOTATE]
    }
    given = {
        (verb, resource, role["metadata"].get("namespace", ""))
        for role in DOCUMENTS
        if role["kind"] in ("Role", "ClusterRole")
        for rule in role["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
    }
    assert wanted == given
