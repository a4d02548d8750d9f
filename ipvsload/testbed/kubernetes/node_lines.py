"""One node's sidecar lines, as a run wants to see them. Pure: lines in, lines out.

A log that breaks off is opened again, from some seconds before; each sample has
a number, so a line that comes twice is known. The same virtual service has
another key on every node ("tcp 10.0.0.5:30080", with the node's own address),
and gets one key here. What lines say about single connections and about
kube-proxy is kept for whoever asks.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ipvsload.ipvs.table import SERVICE_COUNTERS, RealServer, by_address

JsonService = dict[str, Any]


@dataclass(slots=True)
class NodeState:
    """What is known of one node.

    `service` and `probe` are the service under test and the probe service in
    the last sample, None where the table does not have them. `connections` has
    the real server of a connection, by client address and port; `readings`
    counts how often the sidecar has read them. `leftovers` are keys of virtual
    servers that no kube-proxy in IPVS mode keeps up to date.
    """

    name: str
    hello: dict[str, Any] | None = None
    service: JsonService | None = None
    probe: JsonService | None = None
    t: int = -1
    """The end of the last reading, on the node's CLOCK_MONOTONIC in ns."""
    reading: str = ""
    proxy_mode: str | None = None
    connections: dict[tuple[str, int], str] = field(default_factory=dict)
    connections_t: int = -1
    """The last of these readings, on the same clock."""
    readings: int = 0
    leftovers: list[str] = field(default_factory=list)
    stderr: str = ""
    """The last line of its standard error."""


class NodeLines:
    """`keys` are the service's keys in this node's table, `probe` is the probe service's.

    Samples come out with the service under `key`, and with the node's name.
    """

    def __init__(self, name: str, keys: Iterable[str], probe: str, key: str) -> None:
        self.node = NodeState(name)
        self._keys = tuple(keys)
        self._probe = probe
        self._key = key
        self._last = -1

    def follow(self, keys: Iterable[str], key: str) -> None:
        """Take these keys for the service under test from now on."""
        self._keys, self._key = tuple(keys), key

    def feed(self, line: bytes) -> bytes | None:
        """Take a line of the log; returns the line that the run should see, if any.

        What is not JSON is the sidecar's standard error, and kept as `stderr`.
        Raises ValueError for what is not a line of the sidecar.
        """
        if not line.startswith(b"{"):
            self.node.stderr = line.decode(errors="replace").strip() or self.node.stderr
            return None
        value = json.loads(line)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        node = self.node
        if "ipvsload" in value:
            if node.hello is None or node.hello["t"] != value["t"]:
                node.hello, self._last = value, -1  # another process: it counts anew
        elif "services" in value:
            return self._sample(value)
        elif "conns" in value:
            for client, port, server, _ in value["conns"]:
                node.connections[client, port] = server
            if value["t"] > node.connections_t:  # not one that comes twice
                node.connections_t = value["t"]
                node.readings += 1
        elif "left" in value:
            node.leftovers = value["left"]
        elif "reading" in value:
            node.reading = value["reading"]
        elif "proxy_mode" in value:
            node.proxy_mode = value["proxy_mode"]
        return None

    def _sample(self, value: dict[str, Any]) -> bytes | None:
        number = value["n"]
        if number <= self._last or self.node.hello is None:
            return None
        self._last = number
        services = {service["key"]: service for service in value["services"]}
        ours = [services[key] for key in self._keys if key in services]
        service = together(ours, self._key) if ours else None
        # The time first: a ping's answer is at least as late as the sample that shows it.
        self.node.t = value["t"] + value["took"] // 2
        self.node.service, self.node.probe = service, services.get(self._probe)
        value["services"] = [service] if service else []
        value["node"] = self.node.name
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def next_readings(nodes: Iterable[NodeState]) -> Callable[[], bool]:
    """What tells whether each node's connections have been read since this call."""
    # Two readings: the first may have been on its way already.
    wanted = [(node, node.readings + 2) for node in nodes]
    return lambda: all(node.readings >= count for node, count in wanted)


def together(services: list[JsonService], key: str) -> JsonService:
    """One service that has several addresses, under one key: its counts added up."""
    if len(services) == 1:
        return {**services[0], "key": key}
    whole: JsonService = {**services[0], "key": key}
    for counter in SERVICE_COUNTERS:
        whole[counter] = sum(service[counter] for service in services)
    rows = (RealServer(*row) for service in services for row in service["servers"])
    whole["servers"] = [list(row) for row in by_address(rows).values()]
    return whole


def connection_count(probe: JsonService | None) -> int:
    """How many connections the table has for this service, open and closing."""
    return sum(row[2] + row[3] for row in probe["servers"]) if probe else 0
