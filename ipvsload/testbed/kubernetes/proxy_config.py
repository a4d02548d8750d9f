"""kube-proxy's configuration as text: change mode and scheduler, and nothing else.

The file belongs to somebody: it has comments, an order, and fields that this
program does not know. So it is not written anew. The YAML parser says where the
two values stand, they are replaced there, and the result is parsed again: it
must differ from the original only in these two. Pure.
"""

from dataclasses import dataclass
from typing import Any

import yaml

from ipvsload.errors import TestbedError

API_VERSION = "kubeproxy.config.k8s.io/v1alpha1"
KIND = "KubeProxyConfiguration"


class ConfigError(TestbedError):
    """The text is not a configuration that can be changed safely."""


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """What the text says; "" is what it leaves to the default.

    The defaults are iptables (on Linux) and rr (pkg/proxy/ipvs/proxier.go, defaultScheduler).
    """

    mode: str
    scheduler: str

    def __str__(self) -> str:
        mode = self.mode or "iptables (by default)"
        scheduler = f", scheduler {self.scheduler or 'rr (by default)'}"
        return mode + (scheduler if self.mode == "ipvs" else "")


def read(text: str) -> ProxyConfig:
    """Raises ConfigError for what is not YAML, or not a configuration of a known version."""
    value = _load(text)
    found = value.get("apiVersion"), value.get("kind")
    if found != (API_VERSION, KIND):
        raise ConfigError(
            f"kube-proxy's config.conf is {found[0]} {found[1]}, and this program knows"
            f" {API_VERSION} {KIND}; it was left as it is"
        )
    ipvs = value.get("ipvs")
    if ipvs is not None and not isinstance(ipvs, dict):
        raise ConfigError("kube-proxy's config.conf has an `ipvs` that is not a mapping")
    return ProxyConfig(_word(value.get("mode")), _word((ipvs or {}).get("scheduler")))


def edit(text: str, mode: str, scheduler: str) -> str:
    """Set mode and ipvs.scheduler in the text; comments, order and all else stay.

    Raises ConfigError where that is not possible without touching something else.
    """
    before = read(text)
    expected = _load(text)
    new = text
    if before.mode != mode:
        new = _set(new, ("mode",), mode)
        expected["mode"] = mode
    if before.scheduler != scheduler:
        new = _set(new, ("ipvs", "scheduler"), scheduler)
        expected["ipvs"] = {**(expected.get("ipvs") or {}), "scheduler": scheduler}
    try:
        right = _load(new) == expected
    except ConfigError:
        right = False
    if not right:
        raise ConfigError(
            "kube-proxy's config.conf is written in a way that this program cannot change"
            " without touching more than mode and scheduler; set them by hand"
        )
    return new


def _set(text: str, path: tuple[str, ...], value: str) -> str:
    """Set one scalar in the text; create the last key, or the whole path."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, key in enumerate(path):
        found = next((v for k, v in node.value if k.value == key), None)
        rest = path[depth + 1 :]
        quoted = _quoted(value)
        wanted = quoted if not rest else "{" + f"{rest[0]}: {quoted}" + "}"
        if found is None:
            return _insert(text, node, f"{key}: {wanted}")
        if not rest or not isinstance(found, yaml.MappingNode) or not found.value:
            return _replace(text, found, wanted)
        node = found
    raise AssertionError("a path has an end")


def _insert(text: str, mapping: yaml.MappingNode, entry: str) -> str:
    """Insert the entry before the mapping's first, which shows the indentation."""
    if mapping.flow_style:
        at = mapping.start_mark.index + 1
        return text[:at] + entry + (", " if mapping.value else "") + text[at:]
    first = mapping.value[0][0].start_mark
    return f"{text[: first.index]}{entry}\n{' ' * first.column}{text[first.index :]}"


def _replace(text: str, node: yaml.Node, wanted: str) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    if start == end and text[start - 1 : start] == ":":
        wanted = " " + wanted  # a key without a value
    return text[:start] + wanted + text[end:]


def _quoted(value: str) -> str:
    return f'"{value}"' if not value.isalpha() else value


def _load(text: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise ConfigError(f"kube-proxy's config.conf is not YAML: {problem}{where}") from None
    if not isinstance(value, dict):
        raise ConfigError("kube-proxy's config.conf is not a YAML mapping")
    return value


def _word(value: object) -> str:
    return "" if value is None else str(value)
