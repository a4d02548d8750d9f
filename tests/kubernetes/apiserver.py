"""A Kubernetes API over real HTTP, small enough to break on purpose.

It keeps objects, resource versions and graceful deletion as the real one does,
and makes pods for Deployments and DaemonSets. On top come the faults: `fault`
is asked before each request, `away` closes every connection for a while, and
`after` is called when a request has changed something.
"""

import copy
import json
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ipvsload.testbed.kubernetes.node_objects import ready
from tests.kubernetes.cluster_objects import merged, node_object
from tests.kubernetes.kubelet import Log

Object = dict[str, Any]
Key = tuple[str, str, str]  # kind, namespace, name
STATUS = {403: "Forbidden", 404: "NotFound", 409: "Conflict", 429: "TooManyRequests"}


class Refusal(Exception):  # noqa: N818
    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_after = status, retry_after


class Cluster:
    """The store, its controllers, and its HTTP server at `url`."""

    def __init__(self, nodes: dict[str, str]) -> None:
        self.objects: dict[Key, Object] = {}
        self.lock = threading.RLock()
        self.logs: dict[tuple[str, str], Log] = {}
        self.fault: Callable[[str, str], Refusal | None] = lambda method, path: None
        self.after: Callable[[str, str], None] = lambda method, path: None
        self.allowed: Callable[[Object], bool] = lambda attributes: True
        self.requests: list[tuple[str, str]] = []
        self.balancer = "192.0.2.9"  # the address of every LoadBalancer
        self._away_until = 0.0
        self._version = 0
        self._ports = iter(range(30100, 32000))
        self._open: set[Any] = set()
        for name, address in nodes.items():
            self.put("nodes", "", node_object(name, address))
        for name in ("default", "kube-system"):
            self.put("namespaces", "", {"metadata": {"name": name}})
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body in one segment

            def handle_one_request(self) -> None:
                with suppress(OSError):
                    super().handle_one_request()

            def setup(self) -> None:
                super().setup()
                cluster._open.add(self.connection)

            def finish(self) -> None:
                cluster._open.discard(self.connection)
                with suppress(OSError):
                    super().finish()

            def do_GET(self) -> None:
                cluster._serve(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.away(3600)
        self._server.shutdown()
        self._server.server_close()

    def away(self, seconds: float) -> None:
        """Connections are cut, and new ones refused in effect, for so long."""
        self._away_until = time.monotonic() + seconds
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(2)

    def config(self) -> str:
        """A kubeconfig."""
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                "clusters": [{"name": "test", "cluster": {"server": self.url}}],
                "users": [{"name": "test", "user": {"token": "secret"}}],
            }
        )

    # -- the store ------------------------------------------------------------

    def put(self, kind: str, namespace: str, body: Object) -> Object:
        with self.lock:
            self._version += 1
            body = copy.deepcopy(body)
            meta = body["metadata"]
            meta.setdefault("uid", uuid.uuid4().hex)
            meta.setdefault("creationTimestamp", f"2026-01-01T00:00:00.{self._version:06d}Z")
            meta["resourceVersion"] = str(self._version)
            if namespace:
                meta["namespace"] = namespace
            self.objects[kind, namespace, meta["name"]] = body
            self._control(kind, namespace, meta["name"])
            return body

    def get(self, kind: str, namespace: str, name: str) -> Object:
        try:
            return self.objects[kind, namespace, name]
        except KeyError:
            raise Refusal(404, f'{kind} "{name}" not found') from None

    def picture(self) -> dict[Key, Object]:
        """Everything that a person would miss: without versions, and without pods."""
        found = {}
        for key, body in self.objects.items():
            if key[0] != "pods":
                body = copy.deepcopy(body)
                for field in ("uid", "resourceVersion", "creationTimestamp"):
                    del body["metadata"][field]
                found[key] = body
        return found

    # -- controllers ----------------------------------------------------------

    def _control(self, kind: str, namespace: str, name: str) -> None:
        owner = self.objects[kind, namespace, name]
        if kind == "services" and owner["spec"].get("type") != "ClusterIP":
            for port in owner["spec"]["ports"]:
                port.setdefault("nodePort", next(self._ports))
        if kind == "services":
            owner["spec"].setdefault("clusterIP", f"10.96.0.{self._version % 250 + 1}")
            if owner["spec"].get("type") == "LoadBalancer":
                owner["status"] = {"loadBalancer": {"ingress": [{"ip": self.balancer}]}}
        if kind == "deployments":
            self._pods(namespace, owner, [""] * owner["spec"]["replicas"])
        if kind == "daemonsets":
            self._pods(namespace, owner, [key[2] for key in self.objects if key[0] == "nodes"])

    def _pods(self, namespace: str, owner: Object, nodes: list[str]) -> None:
        uid = owner["metadata"]["uid"]
        mine = [
            (key, pod)
            for key, pod in self.objects.items()
            if key[0] == "pods"
            and pod["metadata"].get("owner") == uid
            and "deletionTimestamp" not in pod["metadata"]
        ]
        taken = [pod["spec"]["nodeName"] for _, pod in mine]
        every = [key[2] for key, one in self.objects.items() if key[0] == "nodes" and ready(one)]
        missing = [node for node in nodes if node not in taken] if all(nodes) else []
        if nodes and not all(nodes):
            missing = [every[n % len(every)] for n in range(len(mine), len(nodes))]
        for node in missing:
            template = copy.deepcopy(owner["spec"]["template"])
            template["metadata"]["name"] = f"{owner['metadata']['name']}-{uuid.uuid4().hex[:5]}"
            template["metadata"]["owner"] = uid
            template["spec"]["nodeName"] = node
            template["status"] = {}
            self.put("pods", namespace, template)

    def _delete(self, kind: str, namespace: str, name: str, grace: int | None) -> Object:
        body = self.get(kind, namespace, name)
        if kind == "pods" and grace != 0:
            body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            self._reconcile()
            return body
        del self.objects[kind, namespace, name]
        if kind == "namespaces":
            for key in [key for key in self.objects if key[1] == name and key[0] != "pods"]:
                self.objects.pop(key, None)
            for key, pod in self.objects.items():
                if key[:2] == ("pods", name):
                    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            self.objects[kind, namespace, name] = body
            body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        for key, pod in list(self.objects.items()):
            if key[0] == "pods" and pod["metadata"].get("owner") == body["metadata"]["uid"]:
                pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self._reconcile()
        return body

    def end_namespaces(self) -> None:
        """Those that are being deleted go with the last pod in them."""
        for key, body in list(self.objects.items()):
            held = any(one[:2] == ("pods", key[2]) for one in self.objects)
            if key[0] == "namespaces" and "deletionTimestamp" in body["metadata"] and not held:
                del self.objects[key]

    def _reconcile(self) -> None:
        self.end_namespaces()
        for kind, namespace, name in list(self.objects):
            if kind in ("deployments", "daemonsets"):
                self._control(kind, namespace, name)

    # -- HTTP -----------------------------------------------------------------

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        method, path = handler.command, handler.path
        length = int(handler.headers.get("Content-Length") or 0)
        data = handler.rfile.read(length)
        if time.monotonic() < self._away_until:
            handler.close_connection = True
            handler.connection.close()
            return
        try:
            refusal = self.fault(method, path)
            if refusal:
                raise refusal
            kind = handler.headers.get("Content-Type") or ""
            self.requests.append((method, urlsplit(path).path))
            answer = self._answer(handler, method, path, json.loads(data) if data else {}, kind)
            if answer is None:
                return
            if method != "GET" and "selfsubject" not in path:
                self.after(method, urlsplit(path).path)
            self._send(handler, 200, answer)
        except Refusal as refused:
            body = {
                "kind": "Status",
                "status": "Failure",
                "message": str(refused),
                "reason": STATUS.get(refused.status, ""),
                "code": refused.status,
            }
            self._send(handler, refused.status, body, refused.retry_after)

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, body: Object, retry: int | None = None
    ) -> None:
        with self.lock:
            data = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        if retry is not None:
            handler.send_header("Retry-After", str(retry))
        handler.end_headers()
        handler.wfile.write(data)
        handler.wfile.flush()

    def _answer(
        self, handler: BaseHTTPRequestHandler, method: str, path: str, body: Object, kind: str
    ) -> Object | None:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        words = parts.path.strip("/").split("/")
        if words == ["version"]:
            return {"gitVersion": "v1.33.1"}
        words = words[2:] if words[0] == "api" else words[3:]
        namespace = ""
        if words[0] == "namespaces" and len(words) > 2:
            namespace, words = words[1], words[2:]
        if words[0] == "selfsubjectaccessreviews":
            return {**body, "status": {"allowed": self.allowed(body["spec"]["resourceAttributes"])}}
        name = words[1] if len(words) > 1 else ""
        if words[2:] == ["log"]:
            self._log(handler, namespace, name, query)
            return None
        with self.lock:
            return copy.deepcopy(
                self._store(method, words[0], namespace, name, words[2:], body, query)
            )

    def _store(
        self,
        method: str,
        kind: str,
        namespace: str,
        name: str,
        sub: list[str],
        body: Object,
        query: dict[str, str],
    ) -> Object:
        if method == "GET" and not name:
            wanted = [one.split("=") for one in query.get("labelSelector", "").split(",") if one]
            return {
                "items": [
                    one
                    for (k, n, _), one in self.objects.items()
                    if k == kind
                    and (not namespace or n == namespace)
                    and all((one["metadata"].get("labels") or {}).get(a) == b for a, b in wanted)
                ]
            }
        if method == "GET":
            return self.get(kind, namespace, name)
        if method == "POST":
            name = body["metadata"]["name"]
            if namespace:
                self.get("namespaces", "", namespace)
            if (kind, namespace, name) in self.objects:
                raise Refusal(409, f'{kind} "{name}" already exists')
            return self.put(kind, namespace, body)
        now = self.get(kind, namespace, name)
        if method == "PUT":
            if body["metadata"].get("resourceVersion") != now["metadata"]["resourceVersion"]:
                raise Refusal(409, f'Operation cannot be fulfilled on {kind} "{name}"')
            return self.put(kind, namespace, body)
        if method == "PATCH":
            return self.put(kind, namespace, merged(copy.deepcopy(now), body))
        return self._delete(kind, namespace, name, body.get("gracePeriodSeconds"))

    def _log(
        self, handler: BaseHTTPRequestHandler, namespace: str, name: str, query: dict[str, str]
    ) -> None:
        log = self.logs.get((namespace, name))
        if log is None or (query.get("previous") and not log.ended):
            raise Refusal(400, f'container in pod "{name}" is not available')
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        since = time.time() - float(query["sinceSeconds"]) if "sinceSeconds" in query else 0
        tail = int(query["tailLines"]) if "tailLines" in query else None
        with suppress(OSError):
            for line in log.read(follow=query.get("follow") == "true", since=since, tail=tail):
                if time.monotonic() < self._away_until:
                    break
                handler.wfile.write(line)
                handler.wfile.flush()
