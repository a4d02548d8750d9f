"""One node's sidecar lines, as a run wants to see them. Pure: lines in, lines out.

A log that is followed breaks off and is opened again, from some seconds before;
each sample has a number, so what comes twice is known. What the node calls
"tcp 10.0.0.5:30080" is, with its own address, the same virtual service on every
node, and gets one name. Lines about single connections and about the proxy are
kept here for whoever asks.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ipvsload.ipvs.table import SERVICE_COUNTERS, RealServer, by_address

Service = dict[str, Any]


@dataclass(slots=True)
class Node:
    """What is known of one node.

    `service` and `probe` are the service under test and that of the probes as
    the last sample had them, None where they are not in the table. `placed` says
    which server a connection was given, by client address and port; `placed_t`
    is the node's clock when it was last asked, ns. `lost` counts samples that
    never came. `left` are virtual servers that no kube-proxy in IPVS mode keeps.
    """

    name: str
    hello: dict[str, Any] | None = None
    service: Service | None = None
    probe: Service | None = None
    t: int = -1
    """The end of the last reading, on the node's CLOCK_MONOTONIC in ns."""
    reading: str = ""
    proxy_mode: str | None = None
    placed: dict[tuple[str, int], str] = field(default_factory=dict)
    placed_t: int = -1
    left: list[str] = field(default_factory=list)
    lost: int = 0
    said: str = ""
    """The last line of its standard error."""


class NodeLines:
    """`keys` are the service's names in this node's table, `probe` the probes'.

    Samples come out with the service under the name `key`, and the node's name.
    """

    def __init__(self, name: str, keys: Iterable[str], probe: str, key: str) -> None:
        self.node = Node(name)
        self._keys = tuple(keys)
        self._probe = probe
        self._key = key
        self._last = -1

    def aim(self, keys: Iterable[str], key: str) -> None:
        """Another service under test, or the same again."""
        self._keys, self._key = tuple(keys), key

    def feed(self, line: bytes) -> bytes | None:
        """A line of the log; the line that the run should see, if any.

        What is not JSON is the sidecar's standard error, and kept as `said`.
        Raises ValueError on what is no line of the sidecar's.
        """
        if not line.startswith(b"{"):
            self.node.said = line.decode(errors="replace").strip() or self.node.said
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
                node.placed[client, port] = server
            node.placed_t = max(node.placed_t, value["t"])
        elif "left" in value:
            node.left = value["left"]
        elif "reading" in value:
            node.reading = value["reading"]
        elif "proxy_mode" in value:
            node.proxy_mode = value["proxy_mode"]
        return None

    def _sample(self, value: dict[str, Any]) -> bytes | None:
        number = value["n"]
        if number <= self._last or self.node.hello is None:
            return None
        self.node.lost += number - self._last - 1 if self._last >= 0 else 0
        self._last = number
        services = {service["key"]: service for service in value["services"]}
        ours = [services[key] for key in self._keys if key in services]
        service = together(ours, self._key) if ours else None
        self.node.service, self.node.probe = service, services.get(self._probe)
        self.node.t = value["t"] + value["took"] // 2
        value["services"] = [service] if service else []
        value["node"] = self.node.name
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def together(services: list[Service], key: str) -> Service:
    """One service under several addresses, as one of this name: its counts added up."""
    if len(services) == 1:
        return {**services[0], "key": key}
    whole: Service = {**services[0], "key": key}
    for counter in SERVICE_COUNTERS:
        whole[counter] = sum(service[counter] for service in services)
    rows = (RealServer(*row) for service in services for row in service["servers"])
    whole["servers"] = [list(row) for row in by_address(rows).values()]
    return whole


def connections(probe: Service | None) -> int:
    """How many connections the table holds for this service, open and closing."""
    return sum(row[2] + row[3] for row in probe["servers"]) if probe else 0
