"""One node's sidecar lines, as a run wants to see them. Pure: lines in, lines out.

A log that breaks off is opened again, from some seconds before; each sample has
a number, so a line that comes twice is known. The same virtual service has
another key on every node ("tcp 10.0.0.5:30080", with the node's own address),
and gets one key here. What lines say about single connections and about
kube-proxy is kept for whoever asks.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipvsload.ipvs.saved_services import SavedService, from_json
from ipvsload.ipvs.table import SERVICE_COUNTERS, RealServer, by_address
from ipvsload.scenario.balancers import of_proxy_mode

JsonService = dict[str, Any]


_READINGS = 4
"""So many lines later it is sure what was there at a call. The first may have been on its way
already, and the next one's reading may have begun. The line after that tells what there was when
that one began, see sidecar/connection_reader.py; so it is the next one again."""
TRACKED = "read"
"""What a sidecar says that reads connection tracking (sidecar/pod.py)."""


@dataclass(slots=True)
class NodeState:
    """What is known of one node, from its sidecar's lines.

    `keys` are those of the service under test in this node's table, and
    `probe_key` is the probe service's. Samples come out with the service under
    `key`, and with the node's name.

    `service` and `probe` are the service under test and the probe service in
    the last sample, None where the table does not have them. `connections` has
    the real server of a connection, by client address and port; `readings`
    counts how often the sidecar has read them. `leftovers` are keys of virtual
    servers that no kube-proxy in IPVS mode keeps up to date. `others` are virtual
    servers that kube-proxy may not have made, `more` is how many of them were not
    told, and `addresses` are the node's, without those of kube-proxy's device.
    """

    name: str
    probe_key: str
    keys: Sequence[str] = ()
    key: str = ""
    hello: dict[str, Any] | None = None
    service: JsonService | None = None
    probe: JsonService | None = None
    t: int = -1
    """The end of the last reading, on the node's CLOCK_MONOTONIC in ns."""
    reading: str = ""
    tracking: str = ""
    """Whether connection tracking is read ("read"), or why not; "" where nobody has tried."""
    pods: dict[str, bool] = field(default_factory=dict)
    """The run's servers, and whether each is in the Service, where the rules have no IPVS."""
    proxy_mode: str | None = None
    proxy_version: str = ""
    """What kube-proxy says of itself; "" where it does not answer."""
    proxy_answers: bool = False
    """Whether it ever has: then its silence is a start that is not over."""
    connections: dict[tuple[str, int], str] = field(default_factory=dict)
    connections_t: int = -1
    """The last line about them, on the same clock."""
    readings: int = 0
    leftovers: list[str] = field(default_factory=list)
    lost: str = ""
    """Why nothing more is known of it; "" while its sidecar speaks."""
    others: list[SavedService] = field(default_factory=list)
    more: int = 0
    addresses: frozenset[str] = frozenset()
    stderr: str = ""
    """The last line of its standard error."""
    settings: bytes = b""
    """The line that tells what is set on the node, as the run should see it."""
    schedulers: dict[str, str] = field(default_factory=dict)
    """The schedulers of its kernel, each "loaded", "absent" or the like; {} if not known."""
    _last: int = -1
    _settings_t: int = -1

    def feed(self, line: bytes) -> bytes | None:
        """Take a line of the log; returns the line that the run should see, if any.

        What is not JSON is the sidecar's standard error, and kept as `stderr`.
        Raises ValueError for what is not a line of the sidecar.
        """
        if not line.startswith(b"{"):
            self.stderr = line.decode(errors="replace").strip() or self.stderr
            return None
        value = json.loads(line)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        if "ipvsload" in value:
            if self.hello is None or self.hello["t"] != value["t"]:
                self.hello, self._last = value, -1  # another process: it counts anew
                self._settings_t = -1
        elif "services" in value:
            return self._sample(value)
        elif "settings" in value:
            return self._set(value)
        elif "connections" in value or "connections_read" in value:
            return self._connections(value)
        elif "others" in value:
            self.others = [from_json(one) for one in value["others"]]
            self.more, self.addresses = value["more"], frozenset(value["addresses"])
        elif "left" in value:
            self.leftovers = value["left"]
        elif "tracking" in value:
            self.tracking = value["tracking"]
        elif "reading" in value:
            self.reading = value["reading"]
        elif "proxy_mode" in value:
            self.proxy_mode, self.proxy_version = value["proxy_mode"], value["proxy_version"]
            self.proxy_answers = self.proxy_answers or bool(self.proxy_mode)
        return None

    def _set(self, value: dict[str, Any]) -> bytes | None:
        if value["t"] <= self._settings_t:  # it comes twice
            return None
        self._settings_t = value["t"]
        self.schedulers = value["settings"].get("schedulers", {})
        value["node"] = self.name
        self.settings = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        return self.settings

    def _connections(self, value: dict[str, Any]) -> bytes | None:
        for client, port, server, *_ in value.get("connections", ()):
            self.connections[client, port] = server
        if value["t"] <= self.connections_t:  # it comes twice
            return None
        self.connections_t = value["t"]
        self.readings += "connections_read" in value
        value["node"] = self.name
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"

    def _sample(self, value: dict[str, Any]) -> bytes | None:
        number = value["n"]
        if number <= self._last or self.hello is None:
            return None
        self._last = number
        services = {service["key"]: service for service in value["services"]}
        ours = [services[key] for key in self.keys if key in services]
        service = together(ours, self.key) if ours else None
        if self.pods and of_proxy_mode(service["scheduler"] if service else self.proxy_mode):
            service = tracked(service, self.key, self.proxy_mode or "", self.pods)
        # The time first: a ping's answer is at least as late as the sample that shows it.
        self.t = value["t"] + value["took"] // 2
        self.service, self.probe = service, services.get(self.probe_key)
        value["services"] = [service] if service else []
        value["node"] = self.name
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def tracked(
    service: JsonService | None, key: str, mode: str, pods: Mapping[str, bool]
) -> JsonService:
    """A service that connection tracking shows, with all of these servers and no others.

    A server without a connection is not tracked; and a connection of an earlier run is.
    """
    empty = {"key": key, "scheduler": mode, "flags": 0, "persistent_timeout": 0}
    whole: JsonService = {**dict.fromkeys(SERVICE_COUNTERS, 0), **(service or empty)}
    rows = {row[0]: row for row in whole.get("servers", ())}
    whole["servers"] = []
    for address, present in pods.items():
        row = rows.get(address)
        if row or present:
            _, _, *counts = row or RealServer(address, *[0] * 9)
            whole["servers"].append([address, int(present), *counts])
    return whole


def next_readings(nodes: Iterable[NodeState]) -> Callable[[], bool]:
    """What tells whether each node's connections have been read since this call.

    A node whose sidecar is lost is not waited for.
    """
    wanted = [(node, node.readings + _READINGS) for node in nodes]
    return lambda: all(node.readings >= count or node.lost for node, count in wanted)


def together(services: list[JsonService], key: str) -> JsonService:
    """One service that has several addresses, under one key: its counts added up."""
    whole: JsonService = {**services[0], "key": key}
    if len(services) == 1:
        return whole
    for counter in SERVICE_COUNTERS:
        whole[counter] = sum(service[counter] for service in services)
    rows = (RealServer(*row) for service in services for row in service["servers"])
    whole["servers"] = [list(row) for row in by_address(rows).values()]
    return whole


def connection_count(probe: JsonService | None) -> int:
    """How many connections the table has for this service, open and closing."""
    return sum(row[2] + row[3] for row in probe["servers"]) if probe else 0
