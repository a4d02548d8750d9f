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

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell

Object = dict[str, Any]

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
    """The API refused. `status` is the HTTP status, 0 where there was no answer."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """One cluster. `client` is a kubernetes.client.ApiClient; `tell` hears why we wait.

    Every method raises ApiError: with the server's own words where it refuses,
    and after `patience` seconds where it does not answer.
    """

    def __init__(
        self, client: Any, tell: Tell = lambda _: None, patience: float = PATIENCE
    ) -> None:
        self._client = client
        self._tell = tell
        self._patience = patience
        self._known = False
        self.server: str = client.configuration.host

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
        query = {"labelSelector": labels} if labels else {}
        items: list[Object] = self._json("GET", _path(kind, namespace), query=query)["items"]
        return items

    def create(self, kind: str, body: Object, namespace: str = "") -> Object:
        """Create an object; the error has status 409 where there is one of this name.

        An object that is there after an answer was lost counts as the one created.
        """
        path = _path(kind, namespace)
        lost: list[bool] = []
        try:
            return self._json("POST", path, body, lost=lost)
        except ApiError as error:
            if error.status != 409 or not lost:
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
        return self._json(
            "PATCH", _path(kind, namespace, name), change, kind="application/merge-patch+json"
        )

    def delete(self, kind: str, name: str, namespace: str = "", grace: int | None = None) -> bool:
        """Have an object and what depends on it deleted; False if there was none.

        `grace` is how long pods may take to end, in seconds.
        """
        body: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        body["propagationPolicy"] = "Background"
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        try:
            self._json("DELETE", _path(kind, namespace, name), body)
        except ApiError as error:
            if error.status != 404:
                raise
            return False
        return True

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
        query = {"tailLines": str(tail)} | ({"previous": "true"} if previous else {})
        path = _path("pods", namespace, pod) + "/log"
        return self._ask("GET", path, query=query).decode(errors="replace")

    def follow(self, pod: str, namespace: str, since: int | None) -> Iterator[bytes]:
        """Read a pod's log as it grows, from `since` seconds ago, until the connection ends.

        Does not try again: the caller knows best what to do then.
        """
        query = {"follow": "true"} | ({"sinceSeconds": str(since)} if since else {})
        url = self._url(_path("pods", namespace, pod) + "/log", query)
        timeout = (CONNECT_WITHIN, LOG_SILENCE)
        response = None
        try:
            response = self._open("GET", url, None, {"Accept": "*/*"}, timeout)
            if response.status != 200:
                raise ApiError(_complaint(response.data, response.status), response.status)
            while chunk := response.read1():
                yield chunk
        except ApiError:
            raise
        except Exception as error:  # urllib3's, or the socket's own
            raise _unreachable(self.server, error) from None
        finally:
            if response is not None:
                response.close()

    # -- one request ----------------------------------------------------------

    def _json(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        query: Mapping[str, str] | None = None,
        kind: str = "application/json",
        lost: list[bool] | None = None,
    ) -> Object:
        data = self._ask(method, path, body, query=query or {}, kind=kind, lost=lost)
        try:
            value = json.loads(data)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ApiError(f"{self.server}{path} is not a Kubernetes API: {data[:80]!r}")
        return value

    def _ask(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        query: Mapping[str, str],
        kind: str = "application/json",
        lost: list[bool] | None = None,
    ) -> bytes:
        """Return the answer's body; wait for a server that is away or busy."""
        url = self._url(path, query)
        patience = self._patience if self._known else min(self._patience, _FIRST_PATIENCE)
        deadline = time.monotonic() + patience
        pause, told = _PAUSE, False
        while True:
            wait = pause
            try:
                headers = {"Content-Type": kind, "Accept": "application/json, */*"}
                timeout = (CONNECT_WITHIN, ANSWER_WITHIN)
                response = self._open(method, url, body, headers, timeout)
                data: bytes = response.data
                self._known = True
                if response.status < 400:
                    return data
                error = ApiError(_complaint(data, response.status), response.status)
                if response.status not in _BUSY:
                    raise error
                wait = max(wait, _retry_after(response.headers.get("Retry-After")))
                if lost is not None and response.status != 429:
                    lost.append(True)  # the server may have done it nevertheless
            except ApiError as failure:
                if failure.status not in (0, *_BUSY):
                    raise
                error = failure
            except Exception as failure:
                error = _unreachable(self.server, failure)
                if _final(failure):
                    raise error from None
                if lost is not None:
                    lost.append(True)
            if time.monotonic() + wait > deadline:
                raise error
            if not told:
                self._tell(f"waiting for the API server: {error}")
                told = True
            time.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _open(
        self, method: str, url: str, body: Object | None, headers: dict[str, str], timeout: Any
    ) -> Any:
        """Return urllib3's response; its body is not read yet."""
        for setting in self._client.configuration.auth_settings().values():
            headers[setting["key"]] = setting["value"]
        headers["User-Agent"] = "ipvsload"
        return self._client.rest_client.pool_manager.request(
            method,
            url,
            body=None if body is None else json.dumps(body).encode(),
            headers=headers,
            timeout=_timeout(*timeout),
            retries=False,
            preload_content=False,
        )

    def _url(self, path: str, query: Mapping[str, str]) -> str:
        return self.server.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")


def _timeout(connect: float, read: float) -> Any:
    from urllib3 import Timeout

    return Timeout(connect=connect, read=read)


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
    """Whether waiting cannot help: an untrusted certificate, a login that fails."""
    from urllib3.exceptions import HTTPError, SSLError

    inner = getattr(failure, "reason", None)
    if isinstance(failure, SSLError) or isinstance(inner, SSLError):
        return "CERTIFICATE_VERIFY_FAILED" in str(failure)
    return not isinstance(failure, HTTPError | OSError)


def _unreachable(server: str, failure: Exception) -> ApiError:
    return ApiError(f"the API server {server} does not answer: {_reason(failure)}")


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
