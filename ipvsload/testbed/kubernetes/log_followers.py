"""All nodes' sidecars as one stream, over the API's logs.

A thread follows each node's log (a greenlet where Locust has patched this
process). A connection that ends is opened again, from before the last line, for
a minute: an API server may be away.

Nothing can be sent into a pod's log, so clocks are compared by something that
both sides see: a `ping` makes one connection to each node's port of the probe
service. The first sample that shows it was read after the connection was made
and before the sample came here. Where a node cannot be reached like this, its
log is assumed to be at most a second late.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes.absent_nodes import AbsentNodes
from ipvsload.testbed.kubernetes.api import Api, ApiError
from ipvsload.testbed.kubernetes.node_lines import NodeState, connection_count
from ipvsload.testbed.kubernetes.object_names import NAMESPACE

LOST_AFTER = 60.0
"""Seconds without a line after which a node is given up."""
_AGAIN = 0.5
_EARLIER = 5
"""Seconds of overlap when a log is opened again; nodes' clocks may differ."""
_ASK_AFTER = 8.0
"""Seconds without a line after which the cluster is asked whether the node is there."""
_PONG_WITHIN = 10.0
"""Seconds for a node that takes no load to show a ping; whoever pings waits for 15."""
_PROBE_WITHIN = 2.0
_SEEN_WITHIN = 4.0
_LOG_DELAY = 1.0
_POLL = 0.02

Address = tuple[str, int]


class LogFollowers:
    """Follows `pods` (names by node) until it is closed; `nodes` take their lines.

    `probes` has the address of the probe service on each node. `first` is the
    node whose clock answers a ping; the others' clocks are added to the answer.
    Where one of the `required` nodes is lost, nothing more comes; of another one
    `tell` hears, and it is left out.
    """

    def __init__(
        self,
        api: Api,
        pods: Mapping[str, str],
        nodes: Mapping[str, NodeState],
        probes: Mapping[str, Address],
        first: str,
        required: AbstractSet[str],
        tell: Tell,
    ) -> None:
        self._api = api
        self._pods = pods
        self._nodes = nodes
        self._probes = probes
        self._first = first
        self._required = required
        self._tell = tell
        self._absent = AbsentNodes(api)
        self._ours, self._theirs = socket.socketpair()
        self._lock = threading.Lock()
        self._open = False
        self._closed = False
        self.failure: TestbedError | None = None
        """Why nothing more will come; None while all is well."""
        for node in pods:
            threading.Thread(target=self._guard, args=(node,), daemon=True).start()

    # -- the run's end --------------------------------------------------------

    def open(self) -> None:
        """Begin to write what comes to the stream, after the first node's hello.

        What is set on the nodes was told before, and comes again.
        """
        hello = self._nodes[self._first].hello
        with self._lock:
            known = b"".join(node.settings for node in self._nodes.values())
            self._theirs.sendall(json.dumps(hello).encode() + b"\n" + known)
            self._open = True

    def recv(self, size: int) -> bytes:
        """Read what has come. Raises TestbedError where a node is lost."""
        data = self._ours.recv(size)
        if not data and self.failure:
            raise self.failure
        return data

    def sendall(self, data: bytes) -> None:
        """Answer `ping ID` when every node has seen it; see above."""
        for line in data.decode().splitlines():
            verb, _, identity = line.partition(" ")
            if verb == "ping":
                threading.Thread(target=self._answer, args=(identity,), daemon=True).start()

    def close(self) -> None:
        """Stop following; the logs end with their pods."""
        self._closed = True
        for end in (self._ours, self._theirs):
            with contextlib.suppress(OSError):
                end.close()

    # -- one node -------------------------------------------------------------

    def _guard(self, node: str) -> None:
        try:
            self._follow(node)
        except TestbedError as error:
            self._fail(node, str(error))
        except OSError:
            return  # closed from our side
        except Exception as error:  # otherwise the reader waits for a dead thread
            self._fail(node, f"{type(error).__name__}: {error}")

    def _follow(self, node: str) -> None:
        heard = time.monotonic()
        since: int | None = None
        while not self._closed:
            rest = b""
            reason = "its log ended"
            try:
                for chunk in self._api.follow(self._pods[node], NAMESPACE, since):
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        self._heard(node, line)
                        heard = time.monotonic()
            except ApiError as error:
                reason = str(error)
            silent = time.monotonic() - heard
            if silent > _ASK_AFTER and (why := self._absence(node)):
                raise TestbedError(why)
            if silent > LOST_AFTER:
                raise TestbedError(f"nothing for {silent:.0f} s; {reason}")
            since = int(silent) + 1 + _EARLIER
            time.sleep(_AGAIN)

    def _absence(self, node: str) -> str:
        """Why the node is not there; "" where it is, or where nobody answers."""
        with contextlib.suppress(ApiError):
            return self._absent.among([node]).get(node, "")
        return ""

    def _heard(self, node: str, line: bytes) -> None:
        if not line.strip():
            return
        try:
            out = self._nodes[node].feed(line)
        except (ValueError, KeyError, TypeError, IndexError):
            shown = line[:200].decode(errors="replace")
            raise TestbedError(f"not a line of the sidecar's: {shown!r}") from None
        with self._lock:
            if out and self._open and not (self._closed or self._nodes[node].lost):
                self._theirs.sendall(out)

    def _fail(self, node: str, reason: str) -> None:
        if self._closed or self._nodes[node].lost:
            return
        self._nodes[node].lost = reason
        text = f"the sidecar on node {node} is lost: {reason}"
        if node not in self._required:
            self._tell(f"{text}; the node is left out")
            line = json.dumps({"lost": node, "reason": reason})
            with self._lock, contextlib.suppress(OSError):
                if self._open:
                    self._theirs.sendall(line.encode() + b"\n")
            return
        self.failure = TestbedError(text)
        with contextlib.suppress(OSError):
            self._theirs.shutdown(socket.SHUT_RDWR)

    # -- pings ----------------------------------------------------------------

    def _answer(self, identity: str) -> None:
        sent = time.monotonic()
        nodes = {name: node for name, node in self._nodes.items() if not node.lost}
        before = {name: connection_count(node.probe) for name, node in nodes.items()}
        reached = {
            name: node.probe is not None and reach(self._probes[name])
            for name, node in nodes.items()
        }
        assumed: dict[str, int] = {}
        answers: dict[str, int] = {}
        while late_ones := [name for name in nodes.keys() - answers if not nodes[name].lost]:
            time.sleep(_POLL)
            if self._closed or self.failure:
                return
            waited = time.monotonic() - sent
            for name in late_ones:
                node = nodes[name]
                if waited > _PONG_WITHIN and name not in self._required:
                    self._fail(name, f"nothing for {waited:.0f} s")
                    continue
                seen = reached[name] and connection_count(node.probe) > before[name]
                late = waited > (_SEEN_WITHIN if reached[name] else _LOG_DELAY)
                # Late, the next sample to come is assumed to be read after the ping.
                if seen or (late and assumed.setdefault(name, node.t) != node.t):
                    answers[name] = node.t
        pong = {"pong": identity, "t": answers.pop(self._first), "others": answers}
        with self._lock, contextlib.suppress(OSError):
            self._theirs.sendall(json.dumps(pong).encode() + b"\n")


def reach(address: Address) -> bool:
    """Make one connection and close it at once; whether it could be made."""
    try:
        socket.create_connection(address, _PROBE_WITHIN).close()
    except OSError:
        return False
    return True
