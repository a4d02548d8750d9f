"""kube-proxy's configuration as text: change mode and scheduler, and nothing else.

The file belongs to somebody: it has comments, an order, and fields that this
program does not know. So it is not written anew. The YAML parser says where the
two values stand, they are replaced there, and the result is parsed again: it
must differ from the original only in these two. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

from ipvsload.errors import TestbedError
from ipvsload.testbed.kubernetes.yaml_text import NotYamlError, load_yaml

API_VERSION = "kubeproxy.config.k8s.io/v1alpha1"
KIND = "KubeProxyConfiguration"
_STATUS_PORT = 10249
"""ProxyStatusPort in pkg/cluster/ports/ports.go."""
_ANYWHERE = ("", "0.0.0.0", "::")

# kube-proxy's own parser is a port of libyaml, and PyYAML's other one refuses some of what
# libyaml takes: a tab before a comment.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOM = "\ufeff"
_BREAK = re.compile(r"\r\n|\r|\n")
_ALIAS = re.compile(r"""["']?\s*:\s+(\*[^\s,\[\]{}]+)""")


class ConfigError(TestbedError):
    """The text is not a configuration that can be changed safely."""


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """What the text says; "" is what it leaves to the default.

    The defaults are iptables (on Linux) and rr (pkg/proxy/ipvs/proxier.go, defaultScheduler).
    A mode is in small letters here, as kube-proxy wants it. `metrics` is metricsBindAddress,
    `exclude_cidrs` the addresses of virtual servers that the IPVS mode leaves alone.
    """

    mode: str
    scheduler: str
    metrics: str = ""
    exclude_cidrs: tuple[str, ...] = ()

    def __str__(self) -> str:
        mode = self.mode or "iptables (by default)"
        scheduler = f", scheduler {self.scheduler or 'rr (by default)'}"
        return mode + (scheduler if self.mode == "ipvs" else "")

    @property
    def balances(self) -> tuple[str, str]:
        """The part that this program changes."""
        return self.mode, self.scheduler

    def status_endpoint(self) -> str:
        """Where kube-proxy tells its mode and version, seen from its node.

        The port is 10249 where none is set (SetDefaults_KubeProxyConfiguration,
        pkg/proxy/apis/config/v1alpha1/defaults.go).
        """
        host, port = self.metrics, ""
        if host.count(":") == 1 or "]:" in host:
            host, _, port = host.rpartition(":")
        host = host.strip("[]")
        host = "127.0.0.1" if host in _ANYWHERE else host
        return f"{f'[{host}]' if ':' in host else host}:{port or _STATUS_PORT}"


def read(text: str) -> ProxyConfig:
    """Raises ConfigError for what is not YAML, or not a configuration of a known version."""
    value = _load(text)
    found = value.get("apiVersion"), value.get("kind")
    if found != (API_VERSION, KIND):
        raise ConfigError(
            f"kube-proxy's configuration is {found[0]} {found[1]}, and this program knows"
            f" {API_VERSION} {KIND}; it was left as it is"
        )
    ipvs = value.get("ipvs")
    if ipvs is not None and not isinstance(ipvs, dict):
        raise ConfigError("kube-proxy's configuration has an `ipvs` that is not a mapping")
    excluded = (ipvs or {}).get("excludeCIDRs")
    return ProxyConfig(
        _word(value.get("mode")).lower(),
        _word((ipvs or {}).get("scheduler")),
        _word(value.get("metricsBindAddress")),
        tuple(map(str, excluded)) if isinstance(excluded, list) else (),
    )


def edit(text: str, mode: str, scheduler: str) -> str:
    """Set mode and ipvs.scheduler in the text; comments, order and all else stay.

    Raises ConfigError where that is not possible without touching something else.
    """
    before, rest = read(text), _rest(text)
    bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    wanted = replace(before, mode=mode, scheduler=scheduler)
    same_mode = _word(_load(text).get("mode")) == mode  # in capitals, too
    same_scheduler = before.scheduler == scheduler
    for with_mode in [text] if same_mode else _set(text, ("mode",), mode):
        ways = [with_mode] if same_scheduler else _set(with_mode, ("ipvs", "scheduler"), scheduler)
        for new in ways:
            try:
                if read(new) == wanted and _rest(new) == rest:
                    return bom + new
            except ConfigError:
                continue
    raise ConfigError(
        "kube-proxy's configuration is written in a way that this program cannot change"
        " without touching more than mode and scheduler; set them by hand"
    )


def _set(text: str, path: tuple[str, ...], value: str) -> Iterator[str]:
    """Set one scalar in the text, or create the last key, or the whole path.

    There may be several ways, and not each is right: the caller tries them in turn.
    """
    try:
        node: Any = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError:
        return
    for depth, key in enumerate(path):
        pair = next(((k, v) for k, v in node.value if k.value == key), None)
        rest = path[depth + 1 :]
        quoted = _quoted(value)
        wanted = quoted if not rest else f"{{{rest[0]}: {quoted}}}"
        if pair is None:
            yield from _insert(text, node, f"{key}: {wanted}")
            return
        name, found = pair
        if found.start_mark.index < name.end_mark.index:  # an alias: the value stands elsewhere
            alias = _ALIAS.match(text, name.end_mark.index)
            if alias:
                wanted = quoted if not rest else f"{{<<: {alias[1]}, {rest[0]}: {quoted}}}"
                yield text[: alias.start(1)] + wanted + text[alias.end(1) :]
            return
        if isinstance(found, yaml.ScalarNode) or not found.value:
            yield _replace(text, found, wanted)
            return
        if not rest:
            return
        node = found


def _insert(text: str, mapping: yaml.MappingNode, entry: str) -> Iterator[str]:
    """Insert the entry before one of the mapping's, which shows the indentation."""
    if not mapping.value:
        at = mapping.end_mark.index - 1  # the closing brace: a block has an entry
        yield text[:at] + entry + text[at:]
    found = _BREAK.search(text)
    for key, _ in mapping.value:
        first = key.start_mark
        after = ", " if mapping.flow_style else (found or ["\n"])[0] + " " * first.column
        yield text[: first.index] + entry + after + text[first.index :]


def _replace(text: str, node: yaml.Node, wanted: str) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        # A block's end is the beginning of what follows, and the break before it is not its own.
        end = start + len(text[start:end].rstrip())
    if start == end and text[start - 1 : start] == ":":
        wanted = " " + wanted  # a key without a value
    return text[:start] + wanted + text[end:]


def _quoted(value: str) -> str:
    return f'"{value}"' if not value.isalpha() else value


def _rest(text: str) -> str:
    """All data but mode and scheduler, to be compared."""
    value = _load(text)
    value.pop("mode", None)
    ipvs = dict(value.pop("ipvs", None) or {})
    ipvs.pop("scheduler", None)
    return repr((value, ipvs))  # which is the same for two values that are not a number


def _load(text: str) -> dict[str, Any]:
    try:
        value = load_yaml(text, _LOADER)
    except NotYamlError as error:
        raise ConfigError(f"kube-proxy's configuration is not YAML: {error}") from None
    if not isinstance(value, dict):
        raise ConfigError("kube-proxy's configuration is not a YAML mapping")
    return value


def _word(value: object) -> str:
    return "" if value is None else str(value)
