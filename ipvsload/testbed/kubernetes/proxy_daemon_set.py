"""kube-proxy's DaemonSet: which one it is, and where the configuration is that its pods read. Pure.

Names differ from one distribution to the next, and a ConfigMap of the usual
name may be left over from an earlier time. What counts is what the program is
started with: the file that `--config` names, and the volume that brings it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from ipvsload.testbed.kubernetes import daemon_programs
from ipvsload.testbed.kubernetes.api import Object
from ipvsload.testbed.kubernetes.object_names import PROXY, PROXY_LABEL, SYSTEM
from ipvsload.testbed.kubernetes.proxy_config import ProxyConfig

_OF_BALANCING = ("proxy-mode", "ipvs-scheduler")
# A switch (--masquerade-all) takes no word of its own.
_FLAG = re.compile(r"""(?:^|\s)--([a-z0-9-]+)(?:=|\s+(?!["']?-))["']?([^\s"']+)""")


class ConfigPlace(NamedTuple):
    """A key of a ConfigMap in kube-system."""

    name: str
    key: str

    def __str__(self) -> str:
        return f"ConfigMap {self.name} (key {self.key}) in {SYSTEM}"


KUBEADM = ConfigPlace("kube-proxy", "config.conf")
"""Where kubeadm puts it, and so minikube and kind."""


@dataclass(frozen=True, slots=True)
class ProxyDaemonSet:
    """What a DaemonSet says of its kube-proxy.

    `labels` select its pods. `version` is its image's tag, "" where it has none.
    The configuration is at the first of `places` that is there; where there are
    none, `fixed` says why, and `flags` has what its command line sets. With `idle`,
    it is to run on no node.
    """

    name: str
    labels: str
    version: str
    places: tuple[ConfigPlace, ...]
    fixed: str
    flags: ProxyConfig
    idle: bool = False


def proxies_among(found: Iterable[Object]) -> list[ProxyDaemonSet]:
    """Those that run kube-proxy: by name, label, image or command."""
    return [read_daemon_set(one) for one in found if daemon_programs.runs(one, PROXY)]


def read_daemon_set(found: Object) -> ProxyDaemonSet:
    """Read where its pods have their configuration from."""
    spec = found["spec"]["template"]["spec"]
    container = daemon_programs.container_of(found, PROXY)
    flags = dict(_FLAG.findall(" ".join(daemon_programs.command(container))))
    places, fixed = _places(flags, container, spec)
    return ProxyDaemonSet(
        str(found["metadata"]["name"]),
        daemon_programs.selector(found) or PROXY_LABEL,
        daemon_programs.version(container),
        places,
        fixed,
        ProxyConfig(
            flags.get("proxy-mode", "").lower(),
            flags.get("ipvs-scheduler", ""),
            flags.get("metrics-bind-address", ""),
        ),
        daemon_programs.nodes(found) == 0,
    )


def _places(
    flags: dict[str, str], container: Object, spec: Object
) -> tuple[tuple[ConfigPlace, ...], str]:
    """Where the file of `--config` comes from; or why no ConfigMap has it."""
    if "config" not in flags:
        given = " ".join(f"--{name}={flags[name]}" for name in _OF_BALANCING if name in flags)
        return (), (
            f"it takes its settings from flags of its DaemonSet ({given or 'none of its mode'}),"
            " and no ConfigMap has them: a run changes no DaemonSet. Set them where the cluster is"
            " configured (--proxy-mode=ipvs --ipvs-scheduler=lc; Talos: cluster.proxy)"
        )
    path = PurePosixPath(flags["config"])
    mounts = [
        one for one in container.get("volumeMounts") or [] if path.is_relative_to(one["mountPath"])
    ]
    if not mounts:
        return (), f"its configuration {path} is a file of its image, which a run cannot change"
    mount = max(mounts, key=lambda one: len(PurePosixPath(one["mountPath"]).parts))
    inside = PurePosixPath(mount.get("subPath") or "") / path.relative_to(mount["mountPath"])
    volume: Object = next(
        (one for one in spec.get("volumes") or [] if one["name"] == mount["name"]), {}
    )
    if places := tuple(_config_maps(volume, str(inside))):
        return places, ""
    if "hostPath" in volume:
        where = PurePosixPath(volume["hostPath"]["path"]) / inside
        return (), (
            f"its configuration is a file on each node ({where}), which a run does not change."
            " Edit it there, and end the pods"
        )
    kind = next((name for name in volume if name != "name"), "unknown")
    return (), f"its configuration {path} comes from a volume of kind {kind}, not from a ConfigMap"


def _config_maps(volume: Object, path: str) -> Iterator[ConfigPlace]:
    """The ConfigMaps that may bring this file of a volume."""
    sources = [volume, *(volume.get("projected", {}).get("sources") or [])]
    for source in (one["configMap"] for one in sources if "configMap" in one):
        if not source.get("items"):
            yield ConfigPlace(source["name"], path)
        for item in source.get("items") or []:
            if PurePosixPath(item["path"]) == PurePosixPath(path):
                yield ConfigPlace(source["name"], item["key"])
