"""What the manifests promise, as far as it can be read without a cluster."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ipvsload import __version__

FOLDER = Path("deploy/kubernetes")
LOAD = FOLDER / "load"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((LOAD / "kustomization.yaml").read_text())
OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    (found["kind"], found["metadata"]["name"]): found
    for name in KUSTOMIZATION["resources"]
    for found in yaml.safe_load_all((LOAD / name).read_text())
}
MASTER = OBJECTS["Deployment", "ipvsload-master"]
WORKERS = OBJECTS["Deployment", "ipvsload-workers"]
DEPLOYMENTS = [MASTER, WORKERS]


def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod(deployment)["containers"]
    assert isinstance(found, dict)
    return found


def labels(found: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = found["metadata"]["labels"]
    return labels


def test_every_file_of_the_folder_is_used() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == sorted(
        path.name for path in LOAD.iterdir() if path.name != "kustomization.yaml"
    )
    (image,) = KUSTOMIZATION["images"]
    assert {container(each)["image"] for each in DEPLOYMENTS} == {image["name"]}
    assert image["newTag"] == __version__


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_pods_may_do_nothing_but_their_work(deployment: dict[str, Any]) -> None:
    spec, only = pod(deployment), container(deployment)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & spec.keys()
    assert set(only["resources"]["requests"]) == {"cpu", "memory"}
    assert set(only["resources"]["limits"]) == {"memory"}
    assert "resources" not in spec


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_what_is_written_goes_into_bounded_volumes(deployment: dict[str, Any]) -> None:
    volumes = {volume["name"]: volume["emptyDir"] for volume in pod(deployment)["volumes"]}
    assert all(volume["sizeLimit"] for volume in volumes.values())
    mounts = {mount["mountPath"]: mount["name"] for mount in container(deployment)["volumeMounts"]}
    assert set(mounts.values()) == set(volumes)
    assert "/tmp" in mounts
    if deployment is MASTER:
        # Records go into "runs" of the image's working directory.
        assert "WORKDIR /ipvsload\n" in Path("deploy/Dockerfile").read_text()
        assert "/ipvsload/runs" in mounts


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_deployment_selects_its_pods(deployment: dict[str, Any]) -> None:
    assert deployment["spec"]["selector"]["matchLabels"] == labels(deployment["spec"]["template"])
    assert labels(MASTER["spec"]["template"]) != labels(WORKERS["spec"]["template"])


def test_there_is_one_master() -> None:
    assert MASTER["spec"]["replicas"] == 1
    assert MASTER["spec"]["strategy"] == {"type": "Recreate"}


def test_ports_of_pod_service_policy_and_image_are_the_same() -> None:
    service = OBJECTS["Service", "ipvsload-master"]
    assert service["spec"]["type"] == "ClusterIP"
    assert service["spec"]["selector"] == labels(MASTER["spec"]["template"])
    ports = {port["name"]: port["containerPort"] for port in container(MASTER)["ports"]}
    assert ports == {"web": 8089, "workers": 5557}
    for port in service["spec"]["ports"]:
        assert port["port"] == ports[port["targetPort"]]
    assert f"EXPOSE {ports['web']} {ports['workers']}" in Path("deploy/Dockerfile").read_text()
    for probe in ("readinessProbe", "livenessProbe"):
        assert container(MASTER)[probe]["httpGet"]["port"] == "web"
    assert f"--master-host={service['metadata']['name']}" in container(WORKERS)["args"]


def test_only_workers_reach_the_port_for_workers() -> None:
    policy = OBJECTS["NetworkPolicy", "ipvsload-master"]["spec"]
    assert policy["podSelector"]["matchLabels"] == labels(MASTER["spec"]["template"])
    for_workers, for_all = policy["ingress"]
    assert for_workers["ports"] == [{"port": "workers"}]
    assert for_workers["from"] == [
        {"podSelector": {"matchLabels": labels(WORKERS["spec"]["template"])}}
    ]
    assert for_all == {"ports": [{"port": "web"}]}


def node_table() -> list[dict[str, Any]]:
    """The operations on the master of the variant that reads its node's table."""
    found = yaml.safe_load((FOLDER / "node-table" / "kustomization.yaml").read_text())
    (resource,) = found["resources"]
    assert (FOLDER / "node-table" / resource).resolve() == LOAD.resolve()
    (patch,) = found["patches"]
    assert (patch["target"]["kind"], patch["target"]["name"]) in OBJECTS
    operations: list[dict[str, Any]] = yaml.safe_load(patch["patch"])
    return operations


def test_the_variant_with_the_nodes_table_takes_one_capability() -> None:
    paths = {operation["path"].removeprefix("/spec/template/spec/"): operation["value"]
             for operation in node_table()}  # fmt: skip
    assert paths.pop("containers/0/securityContext/capabilities/add") == ["NET_ADMIN"]
    assert paths["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert paths["containers/0/args/2"].startswith("--host=")
    assert container(MASTER)["args"][2].startswith("--host=")
    assert set(paths) == {
        "hostNetwork", "dnsPolicy", "nodeName", "securityContext",
        "containers/0/args/2", "containers/0/args/-",
    }  # fmt: skip


def arguments() -> dict[str, list[str]]:
    extra = [operation["value"] for operation in node_table() if "/args/" in operation["path"]]
    return {
        "master": container(MASTER)["args"],
        "worker": container(WORKERS)["args"],
        "node-table": [*container(MASTER)["args"][:2], *extra],
    }


@pytest.mark.parametrize("who", arguments())
def test_locust_knows_the_arguments(who: str) -> None:
    found = arguments()[who]
    done = subprocess.run(
        [sys.executable, "-m", "locust", *found, "--list"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Short" in done.stdout
    assert sum(argument.startswith("--locustfile=") for argument in found) == 1
    assert container(MASTER)["args"][1] == container(WORKERS)["args"][1]
