"""A node as the tests need it: pods that "run", real programs where it matters, and their logs.

It takes the place of scheduler, kubelet and container runtime, and knows three
kinds of pods: real servers (an address from a list, ready after a while), and
programs (the sidecar, kube-proxy), which `run` starts for real. It speaks to
the API over HTTP like any kubelet, so the API server may be a real one.
"""

import base64
import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ipvsload.testbed.kubernetes.api import ApiError
from ipvsload.testbed.kubernetes.object_names import PROXY, ROLE
from ipvsload.testbed.kubernetes.router_daemon_set import ROUTER

EVERY = 0.1


class Log:
    """Lines with the time of their writing; followed by any number of readers."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, bytes]] = []
        self._more = threading.Condition()
        self.ended = False

    def write(self, line: bytes) -> None:
        with self._more:
            self._lines.append((time.time(), line))
            self._more.notify_all()

    def end(self) -> None:
        with self._more:
            self.ended = True
            self._more.notify_all()

    def read(self, *, follow: bool, since: float = 0, tail: int | None = None) -> Iterator[bytes]:
        """Lines since then; with `follow` until the program's end."""
        at = 0
        if tail is not None:
            at = max(0, len(self._lines) - tail)
        while True:
            with self._more:
                while at >= len(self._lines) and follow and not self.ended:
                    if not self._more.wait(0.5):
                        break
                batch, at = self._lines[at:], len(self._lines)
                done = self.ended or not follow
            for t, line in batch:
                if t >= since:
                    yield line
            if done and at >= len(self._lines):
                return
            if not batch:
                yield b""  # lets whoever sends see that the reader has gone


class Program:
    """A running program and its log."""

    def __init__(self, command: list[str], log: Log) -> None:
        self.log = log
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.log.write(line)
        self.log.end()

    def stop(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(3)
        self.process.kill()
        self.process.wait()
        self._thread.join(3)


class Crash:
    """A program that ends at once with these words, and again each time it is started."""

    def __init__(self, words: str) -> None:
        self.words = words

    def stop(self) -> None: ...


class Kubelet:
    """`node` runs whatever is bound to it; `addresses` are those of real servers, in turn.

    Without `schedules` a scheduler of the cluster's own binds pods to nodes.
    `command(kind, pod, directory, log)` is how a program is started: kind
    "sidecar" or "proxy", with the pod's ConfigMap volumes written under the
    directory. It returns the words of a command, or something with a `stop`.
    """

    def __init__(
        self,
        api: Any,
        node: str,
        addresses: list[str],
        command: Callable[[str, dict[str, Any], Path, Log], Any],
        directory: Path,
        ready_after: float = 0.2,
        *,
        schedules: bool = True,
    ) -> None:
        self._api = api
        self._node = node
        self._free = list(addresses)
        self._command = command
        self._directory = directory
        self._ready_after = ready_after
        self._schedules = schedules
        self._programs: dict[str, Any] = {}
        self._seen: dict[str, float] = {}
        self._told: set[str] = set()
        self.logs: dict[tuple[str, str], Log] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        for program in self._programs.values():
            program.stop()

    def _loop(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self._sync()
            except ApiError as error:
                if error.status not in (404, 409):
                    print("kubelet:", error, flush=True)  # noqa: T201

    def _sync(self) -> None:
        pods = self._api.every("pods")
        present = set()
        for pod in pods:
            uid = pod["metadata"]["uid"]
            present.add(uid)
            if not pod["spec"].get("nodeName"):
                if self._schedules:
                    self._bind(pod)
            elif pod["spec"]["nodeName"] != self._node:
                continue
            elif "deletionTimestamp" in pod["metadata"]:
                self._end(uid)
                meta = pod["metadata"]
                path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
                self._api._json("DELETE", path, {"gracePeriodSeconds": 0})
            else:
                self._run(pod)
        for uid in set(self._programs) - present:
            self._end(uid)

    def _bind(self, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/binding"
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": self._node},
        }
        self._api._json("POST", path, body)

    def _run(self, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        uid, labels = meta["uid"], meta.get("labels") or {}
        since = self._seen.setdefault(uid, time.monotonic())
        kind = ""
        if pod["spec"]["containers"][0]["name"] in (PROXY, ROUTER):
            kind = "proxy"
        elif labels.get(ROLE) not in ("server", None):
            kind = "sidecar"
        if kind and uid not in self._programs:
            place = self._volumes(pod)
            log = self.logs.setdefault((meta["namespace"], meta["name"]), Log())
            made = self._command(kind, pod, place, log)
            self._programs[uid] = Program(made, log) if isinstance(made, list) else made
        program = self._programs.get(uid)
        if isinstance(program, Crash):
            self._tell_crash(pod, program, self.logs[meta["namespace"], meta["name"]])
            return
        if uid in self._told or time.monotonic() - since < self._ready_after:
            return
        address = "192.0.2.1" if kind else self._free.pop(0)
        self._tell(pod, address)
        self._told.add(uid)

    def _tell(self, pod: dict[str, Any], address: str) -> None:
        meta = pod["metadata"]
        container = pod["spec"]["containers"][0]
        status = {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [
                {"type": "Ready", "status": "True"},
                {"type": "ContainersReady", "status": "True"},
            ],
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                }
            ],
        }
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        self._api._json("PATCH", path, {"status": status})

    def _tell_crash(self, pod: dict[str, Any], program: Crash, log: Log) -> None:
        """Once more: it was started, and ended."""
        if not log.ended:
            for line in program.words.splitlines(keepends=True):
                log.write(line.encode())
            log.end()
        meta = pod["metadata"]
        before = pod.get("status", {}).get("containerStatuses") or [{"restartCount": -1}]
        container = {
            "name": pod["spec"]["containers"][0]["name"],
            "ready": False,
            "restartCount": before[0]["restartCount"] + 1,
            "state": {
                "waiting": {
                    "reason": "CrashLoopBackOff",
                    "message": "back-off 10s restarting failed container",
                }
            },
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
        }
        status = {"phase": "Running", "containerStatuses": [container]}
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        self._api._json("PATCH", path, {"status": status})

    def _volumes(self, pod: dict[str, Any]) -> Path:
        meta = pod["metadata"]
        place: Path = self._directory / meta["uid"]
        place.mkdir(parents=True, exist_ok=True)
        for volume in pod["spec"].get("volumes") or []:
            if "configMap" in volume:
                name = volume["configMap"]["name"]
                found = self._api.get("configmaps", name, meta["namespace"])
                for key, text in (found.get("data") or {}).items():
                    (place / key).write_text(text)
                for key, data in (found.get("binaryData") or {}).items():
                    (place / key).write_bytes(base64.b64decode(data))
        return place

    def _end(self, uid: str) -> None:
        program = self._programs.pop(uid, None)
        if program:
            program.stop()
