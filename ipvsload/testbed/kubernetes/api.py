"""The Kubernetes API as this testbed uses it: plain objects, deadlines, words for people.

The client library does what is hard to do well: kubeconfig files, login
plugins, certificates, tokens that are renewed. Its models are not used: an
object that is read, changed and written must keep the fields that this version
of the library does not know. There are no watches: the state is read again and
again, so a connection that drops loses nothing.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from urllib3 import Timeout
from urllib3.exceptions import HTTPError, SSLError

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell

Object = dict[str, Any]
_Query = Mapping[str, str]

CONNECT_WITHIN, ANSWER_WITHIN = 5.0, 15.0
PATIENCE = 40.0
"""How long an API server that is away, or too busy, is asked again; in seconds."""
_FIRST_PATIENCE = 6.0
"""The same for one that has never answered: its address may be wrong."""
LOG_SILENCE = 30.0
"""Seconds without a byte after which a followed log is opened again."""
_BUSY = (429, 500, 502, 503, 504)
_PAUSE, _LONGEST_PAUSE = 0.5, 5.0

GROUPS = {
    "namespaces": "api/v1", "nodes": "api/v1", "configmaps": "api/v1", "pods": "api/v1",
    "services": "api/v1", "events": "api/v1",
    "deployments": "apis/apps/v1", "daemonsets": "apis/apps/v1",
    "selfsubjectaccessreviews": "apis/authorization.k8s.io/v1",
}  # fmt: skip


class ApiError(TestbedError):
    """The API refused, or gave no answer: then `status`, an HTTP status, is 0.

    `again_s` is how long to wait before asking again, in seconds; None where that
    cannot help. `repeated` says that an answer to the same request was lost before
    this one: the server may have done it then.
    """

    repeated = False

    def __init__(self, text: str, status: int = 0, again_s: float | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.again_s = again_s


class Api:
    """One cluster. `client` is a kubernetes.client.ApiClient; `tell` hears why we wait.

    `context` is its name in the kubeconfig, or "this cluster" inside a pod.
    Every method raises ApiError: with the server's own words where it refuses,
    and after PATIENCE where it does not answer.
    """

    def __init__(self, client: Any, context: str, tell: Tell = lambda _: None) -> None:
        self._client = client
        self._context = context
        self._tell = tell
        self._patience = PATIENCE
        self._known = False
        self._server: str = client.configuration.host

    def __str__(self) -> str:
        return f"context {self._context}, cluster at {self._server}"

    def get(self, kind: str, name: str, namespace: str = "") -> Object:
        """Read one object."""
        return self._json("GET", _path(kind, namespace, name))

    def find(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """Read one object; None if there is none of this name."""
        try:
            return self.get(kind, name, namespace)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def every(self, kind: str, namespace: str = "", labels: str = "") -> list[Object]:
        """Read all objects with these labels."""
        found = self._json("GET", _path(kind, namespace), labelSelector=labels)
        items: list[Object] = found["items"]
        return items

    def create(self, kind: str, body: Object, namespace: str = "") -> Object:
        """Create an object; the error has status 409 where there is one of this name.

        An object that is there after an answer was lost counts as the one created.
        """
        try:
            return self._json("POST", _path(kind, namespace), body)
        except ApiError as error:
            if error.status != 409 or not error.repeated:
                raise
            try:
                return self.get(kind, body["metadata"]["name"], namespace)
            except ApiError as unread:
                if unread.status != 403:
                    raise
                return body  # this user may create it and may not read it

    def replace(self, kind: str, body: Object, namespace: str = "") -> Object:
        """Write an object that was read and changed; status 409 if somebody else wrote first.

        The server compares its resourceVersion (kubernetes.io/docs/reference/
        using-api/api-concepts, "resource versions").
        """
        return self._json("PUT", _path(kind, namespace, body["metadata"]["name"]), body)

    def patch(self, kind: str, name: str, change: Object, namespace: str = "") -> Object:
        """Change the keys that `change` has, and no others (a JSON merge patch)."""
        return self._json("PATCH", _path(kind, namespace, name), change)

    def delete(
        self, kind: str, name: str, namespace: str = "", *, grace_s: int | None = None
    ) -> None:
        """Have an object and what depends on it deleted, if it is there.

        With a `grace_s` of 0, a pod's object goes without the word of its node.
        """
        body: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        body["propagationPolicy"] = "Background"
        if grace_s is not None:
            body["gracePeriodSeconds"] = grace_s
        try:
            self._json("DELETE", _path(kind, namespace, name), body)
        except ApiError as error:
            if error.status != 404:
                raise

    def allowed(self, verb: str, kind: str, namespace: str = "", name: str = "") -> bool:
        """Whether this user may do it; `kind` is "pods" or "pods/log", for example."""
        plural, _, sub = kind.partition("/")
        group = GROUPS[plural].removeprefix("api/v1").removeprefix("apis/").partition("/")[0]
        wanted = {
            "verb": verb, "group": group, "resource": plural, "subresource": sub,
            "namespace": namespace, "name": name,
        }  # fmt: skip
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: text for key, text in wanted.items() if text}},
        }
        answer = self._json("POST", _path("selfsubjectaccessreviews"), review)
        return bool(answer.get("status", {}).get("allowed"))

    def version(self) -> str:
        """The API server's version, such as "v1.33.1"."""
        return str(self._json("GET", "/version").get("gitVersion", ""))

    def log(self, pod: str, namespace: str, *, tail: int, previous: bool = False) -> str:
        """Read the last `tail` lines of a pod's log."""
        path = _path("pods", namespace, pod) + "/log"
        earlier = "true" if previous else ""
        data = self._ask("GET", path, tailLines=str(tail), previous=earlier)
        return data.decode(errors="replace")

    def follow(self, pod: str, namespace: str, since: int | None) -> Iterator[bytes]:
        """Read a pod's log as it grows, from `since` seconds ago, until the connection ends.

        Does not try again: the caller knows best what to do then.
        """
        path = _path("pods", namespace, pod) + "/log"
        query = {"follow": "true", "sinceSeconds": str(since or "")}
        try:
            with self._open("GET", path, None, query, LOG_SILENCE) as response:
                if response.status != 200:
                    raise ApiError(_complaint(response.data, response.status), response.status)
                while chunk := response.read1():
                    yield chunk
        except TestbedError:
            raise  # the server's words, or a login that could not be renewed
        except Exception as error:  # urllib3's, or the socket's own
            raise self._unreachable(error) from None

    # -- one request ----------------------------------------------------------

    def _json(self, method: str, path: str, body: Object | None = None, **query: str) -> Object:
        data = self._ask(method, path, body, **query)
        try:
            value = json.loads(data)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ApiError(f"{self._server}{path} is not a Kubernetes API: {data[:80]!r}")
        return value

    def _ask(self, method: str, path: str, body: Object | None = None, **query: str) -> bytes:
        """Return the answer's body; wait for a server that is away or busy."""
        patience = self._patience if self._known else min(self._patience, _FIRST_PATIENCE)
        deadline = time.monotonic() + patience
        pause, lost = _PAUSE, False
        while True:
            try:
                return self._ask_once(method, path, body, query)
            except ApiError as error:
                error.repeated = lost
                wait = max(pause, error.again_s or 0)
                if error.again_s is None or time.monotonic() + wait > deadline:
                    raise
                lost = lost or error.status != 429
                if pause == _PAUSE:
                    self._tell(f"waiting for the API server: {error}")
            time.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _ask_once(self, method: str, path: str, body: Object | None, query: _Query) -> bytes:
        try:
            response = self._open(method, path, body, query, ANSWER_WITHIN)
            data: bytes = response.data
        except TestbedError:
            raise  # a login that could not be renewed
        except Exception as failure:  # urllib3's, the socket's own
            raise self._unreachable(failure) from None
        self._known = True
        if response.status < 400:
            return data
        again_s = None
        if response.status in _BUSY:
            again_s = _retry_after(response.headers.get("Retry-After"))
        raise ApiError(_complaint(data, response.status), response.status, again_s)

    def _open(
        self, method: str, path: str, body: Object | None, query: _Query, within: float
    ) -> Any:
        """Return urllib3's response; its body is not read yet."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Content-Type": kind, "Accept": "*/*", "User-Agent": "ipvsload"}
        for setting in self._client.configuration.auth_settings().values():
            headers[setting["key"]] = setting["value"]
        words = urlencode({key: text for key, text in query.items() if text})
        return self._client.rest_client.pool_manager.request(
            method,
            self._server.rstrip("/") + path + (f"?{words}" if words else ""),
            body=None if body is None else json.dumps(body).encode(),
            headers=headers,
            timeout=Timeout(connect=CONNECT_WITHIN, read=within),
            retries=False,
            preload_content=False,
        )

    def _unreachable(self, failure: Exception) -> ApiError:
        text = f"the API server {self._server} does not answer: {_reason(failure)}"
        return ApiError(text, again_s=None if _final(failure) else 0)


def _path(kind: str, namespace: str = "", name: str = "") -> str:
    inside = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"/{GROUPS[kind]}{inside}/{kind}" + (f"/{quote(name)}" if name else "")


def _complaint(data: bytes, status: int) -> str:
    """Return the server's own words: the message of a Status object."""
    try:
        message = json.loads(data).get("message")
    except (ValueError, AttributeError):
        message = None
    words = message or data.decode(errors="replace").strip()[:200] or "no reason given"
    if status == 401:
        return (
            f"the cluster does not know this user (401: {words}); the kubeconfig's login has"
            " expired or is wrong: log in again, and try with `kubectl get nodes`"
        )
    return f"{words} ({status})"


def _retry_after(text: str | None) -> float:
    try:
        return min(float(text or 0), _LONGEST_PAUSE)
    except ValueError:
        return 0.0


def _final(failure: Exception) -> bool:
    """Whether waiting cannot help: an untrusted certificate, an address that is none."""
    inner = getattr(failure, "reason", None)
    if isinstance(failure, SSLError) or isinstance(inner, SSLError):
        return "CERTIFICATE_VERIFY_FAILED" in str(failure)
    return not isinstance(failure, HTTPError | OSError)


def _reason(failure: Exception) -> str:
    """The innermost cause in few words, without addresses of objects."""
    cause: BaseException = failure
    while (inner := cause.__cause__ or getattr(cause, "reason", None)) and isinstance(
        inner, BaseException
    ):
        cause = inner
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    text = str(cause)
    return text.rpartition("object at 0x")[2].partition(": ")[2] or text or type(cause).__name__
