"""The sidecar's loop: samples at a steady rate, commands in between, and connections told.

Times are ns of CLOCK_MONOTONIC.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Sequence

from ipvsload.ipvs.connections import CONNECTIONS
from ipvsload.ipvs.decode import InterruptedDumpError
from ipvsload.ipvs.keys import Endpoint, split_endpoint
from ipvsload.ipvs.table import RealServer
from ipvsload.sidecar import lines
from ipvsload.sidecar.commands import Commands
from ipvsload.sidecar.connection_reader import SHARE, SLICE, ConnectionReader
from ipvsload.sidecar.sampled_node import SampledNode
from ipvsload.sidecar.ticks import Ticks


class Collector:
    """Writes samples until it is stopped; see `run`. Without `stdin` nobody commands it.

    Where there are several nodes, on one clock, their lines name them.
    """

    def __init__(
        self,
        nodes: Sequence[SampledNode],
        *,
        hz: float,
        count: int = 0,
        stdin: int | None,
        stdout: int,
    ) -> None:
        self._nodes, self._hz, self._count = nodes, hz, count
        self._stdin, self._stdout = stdin, stdout
        self._pinged = self._asked_now = False
        self._connections: dict[SampledNode, ConnectionReader] = {}
        self._commands = Commands()
        self._reason = ""
        self._wake, self._waker = os.pipe()
        for end in (self._wake, self._waker):
            os.set_blocking(end, False)

    def stop(self, reason: str) -> None:
        """End the loop soon; may be called from a signal handler."""
        self._reason = self._reason or reason
        os.write(self._waker, b"\0")

    def run(self) -> None:
        """Write the hello, samples, and the end.

        Raises ConnectionError when whoever read them has gone.
        """
        self._hello()
        self._tell_facts()
        taken = 0
        ticks = Ticks(self._hz, time.monotonic_ns())
        while not self._reason:
            due = 0.0 if self._asked_now else ticks.due / 1e9
            node = self._next_reader(due)
            if self._listen((self._connections[node].due if node else due) - time.monotonic()):
                continue
            if node:
                self._tell([(node, self._connections[node].go_on())])
                continue
            if self._pinged:
                self._pinged = False
                self._tell((node, node.news()) for node in self._nodes)
            whole = [self._sample(node, taken) for node in self._nodes]
            taken += any(whole)
            ticks.missed += not all(whole)
            self._tell_facts()
            if taken == self._count:
                self._reason = self._reason or "count"
            if not self._asked_now:
                ticks.served(time.monotonic_ns())
            self._asked_now = False
        self._write_json({"end": self._reason, "samples": taken, "missed": ticks.missed})

    def tell_connections(self, services: Sequence[Endpoint]) -> None:
        """Tell the connections of these services from now on, each once; of none if there is none.

        All nodes together use `SHARE` of a core.
        """
        for reader in self._connections.values():
            reader.close()
        share = SHARE / len(self._nodes)
        self._connections = {
            node: ConnectionReader(
                services,
                node.table,
                inside=node.inside,
                by_rules=node.by_rules,
                timeouts=node.timeouts,
                share=share,
                path=CONNECTIONS,
            )
            for node in (self._nodes if services else ())
        }

    def _next_reader(self, due: float) -> SampledNode | None:
        """The node whose connections are to be read before the sample that is due."""
        node = min(self._connections, key=lambda one: self._connections[one].due, default=None)
        if node is None or max(self._connections[node].due, time.monotonic()) > due - 2 * SLICE:
            return None
        return node

    def _sample(self, node: SampledNode, number: int) -> bool:
        """Write one; False where the table kept changing."""
        start = time.monotonic_ns()
        try:
            table = node.table = node.reader.table()
        except InterruptedDumpError:
            return False
        took = time.monotonic_ns() - start
        name = self._naming(node).get("node", "")
        self._write(node.formatter.sample(number, start + took // 2, took, table, name))
        if reader := self._connections.get(node):
            reader.see(table)
        return True

    def _naming(self, node: SampledNode) -> dict[str, str]:
        """What its lines have besides."""
        return {"node": node.name} if len(self._nodes) > 1 else {}

    def _tell_facts(self) -> None:
        self._tell((node, node.facts()) for node in self._nodes)

    def _tell(self, told: Iterable[tuple[SampledNode, Iterable[dict[str, object]]]]) -> None:
        for node, facts in told:
            for fact in facts:
                self._write_json(fact | self._naming(node))

    def _hello(self) -> None:
        first = self._nodes[0]
        self._write_json(
            {
                "ipvsload": lines.FORMAT,
                "version": lines.VERSION,
                "node": first.name,
                "kernel": os.uname().release,
                "ipvs": first.reader.version,
                "hz": int(self._hz) if self._hz == int(self._hz) else self._hz,
                "t": time.monotonic_ns(),
                "wall": time.time_ns(),
                "server_columns": RealServer._fields,
                "table": table_identity(),
                "tells_connections": True,
            }
        )

    def _listen(self, seconds: float) -> bool:
        """Wait for the tick; True where a command or a stop came before it."""
        watched = [self._wake] if self._stdin is None else [self._wake, self._stdin]
        ready, _, _ = select.select(watched, [], [], max(0.0, seconds))
        if self._stdin is not None and self._stdin in ready:
            self._read_commands(self._stdin)
        return bool(ready)

    def _read_commands(self, stdin: int) -> None:
        try:
            chunk = os.read(stdin, 4096)
        except OSError:  # a terminal that hung up
            chunk = b""
        t = time.monotonic_ns()
        if not chunk:
            self._stdin = None  # nobody there, as in a DaemonSet: no reason to end
        for line in self._commands.feed(chunk):
            verb, _, argument = line.partition(" ")
            if verb == "ping":
                others = {node.name: t for node in self._nodes[1:]}
                more = {"others": others} if others else {}
                self._write_json({"pong": argument, "t": t, **more})
                self._pinged = True
            elif verb == "connections":
                try:
                    self.tell_connections([split_endpoint(argument)] if argument else [])
                except (ValueError, OSError) as error:
                    sys.stderr.write(f"ipvsload collect: connections: {error}\n")
            elif verb == "look":
                self._asked_now = True
                if argument == "connections":
                    for reader in self._connections.values():
                        reader.hurry()
            elif verb == "end":
                self._reason = self._reason or "asked"
            elif verb:
                known = "ping ID, connections [ADDRESS]:PORT, look [connections], end"
                sys.stderr.write(f"ipvsload collect: no command {verb!r} ({known})\n")

    def _write_json(self, value: dict[str, object]) -> None:
        self._write(json.dumps(value, separators=(",", ":")) + "\n")

    def _write(self, line: str) -> None:
        data = memoryview(line.encode())
        while data:
            data = data[os.write(self._stdout, data) :]


def table_identity() -> str:
    """Which table is read: the kernel's boot, and the network namespace; "" where /proc hides it.

    A machine's name may be shared, and what changes a director must be sure of it.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/net')}"
    except OSError:
        return ""


def collect_until_stopped(nodes: Sequence[SampledNode], *, hz: float, count: int = 0) -> None:
    """Write samples to stdout until a signal, stdin, `count` or a reader who leaves ends it."""
    collector = Collector(nodes, hz=hz, count=count, stdin=0, stdout=1)
    stop_on_signals(collector)
    with contextlib.suppress(ConnectionError):  # whoever read has what it wanted
        collector.run()


def stop_on_signals(collector: Collector) -> None:
    """Let SIGTERM, SIGINT and SIGHUP end the loop in order."""

    def stop(number: int, _: object) -> None:
        collector.stop(signal.Signals(number).name)
        signal.signal(number, signal.SIG_DFL)  # a second one ends us even where stdout is blocked

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
