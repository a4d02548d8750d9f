"""What kube-proxy is in this cluster, how it is configured, and why it may have to stay so."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvsload.testbed.kubernetes import proxies, rights
from ipvsload.testbed.kubernetes.api import Api, Object
from ipvsload.testbed.kubernetes.object_names import PROXY
from ipvsload.testbed.kubernetes.proxy_config import ConfigError, ProxyConfig, edit, read
from ipvsload.testbed.kubernetes.proxy_daemon_set import ConfigPlace, ProxyDaemonSet

_NONE = "no DaemonSet in kube-system runs it (k3s, RKE2 and some managed clusters have none)"
_IMMUTABLE = (
    "{} is immutable: nobody can edit it. It would take a new ConfigMap under another name, and"
    " the DaemonSet's volume changed to that, which a run does not do (and whoever manages the"
    " cluster may undo: set the mode there; Gardener: spec.kubernetes.kubeProxy.mode)"
)


@dataclass(frozen=True, slots=True)
class ExaminedProxy:
    """`version` is its image's tag; "" where that is not known.

    `place` has its configuration; None where no ConfigMap does. `config` is what is
    configured, by whatever means; None where that cannot be read. `fixed` says why
    this program cannot change it, "" where it can: then there is a place.
    """

    version: str = ""
    place: ConfigPlace | None = None
    config: ProxyConfig | None = None
    fixed: str = ""


def look_for_proxy(api: Api) -> list[ProxyDaemonSet] | None:
    """Read the DaemonSets that run kube-proxy; None where this user may not list them."""
    return proxies.daemon_sets(api) if rights.may(api, rights.SEE_PROXY) else None


def config_maps(found: Sequence[ProxyDaemonSet] | None) -> set[str]:
    """The names of the ConfigMaps that may have their configuration."""
    return {PROXY} if found is None else {place.name for one in found for place in one.places}


def examine_proxy(api: Api, found: Sequence[ProxyDaemonSet]) -> ExaminedProxy:
    """Look at the configuration of these DaemonSets. Touches nothing.

    Raises ConfigError for one that is not understood, or cannot be edited.
    """
    if not found:
        return ExaminedProxy(fixed=_NONE)
    first = found[0]
    if first.fixed:
        return ExaminedProxy(first.version, config=first.flags, fixed=first.fixed)
    if any(one.places != first.places for one in found):
        names = ", ".join(one.name for one in found)
        text = f"{len(found)} DaemonSets run it, each with a configuration of its own: {names}"
        return ExaminedProxy(first.version, fixed=text)
    for place in first.places:
        held = proxies.config_map(api, place)
        if held is not None:
            return _of_config_map(first.version, place, held)
    wanted = " or ".join(map(str, first.places))
    text = f"its DaemonSet {first.name} reads {wanted}, and that is not there"
    return ExaminedProxy(first.version, fixed=text)


def _of_config_map(version: str, place: ConfigPlace, held: Object) -> ExaminedProxy:
    text = held["data"][place.key]
    try:
        config = read(text)
        if held.get("immutable"):
            return ExaminedProxy(version, place, config, _IMMUTABLE.format(place))
        edit(text, "ipvs", "lc" if config.scheduler != "lc" else "rr")
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None
    return ExaminedProxy(version, place, config)
