"""What kube-proxy on this node says of itself: the mode that it runs, and its version.

Both can differ from what is configured: it reads its configuration at its start
only, older ones fall back to iptables, and an image's tag is whatever somebody
has written there. It listens on the node's loopback address by default, so it
can be asked from the node alone. `/proxyMode` and `/metrics` are served by
serveMetrics (cmd/kube-proxy/app/server.go); the version is that of the metric
kubernetes_build_info (k8s.io/component-base/metrics/prometheus/version).
"""

import re
import socket

from ipvsload.ipvs.keys import Endpoint

DEFAULT: Endpoint = ("127.0.0.1", 10249)
"""By default; metricsBindAddress is another."""
_WITHIN = 0.5
_MOST = 4 << 20
_VERSION = re.compile(rb'\nkubernetes_build_info\{[^}]*?git_?[vV]ersion="([^"]*)"')


class ProxyStatus:
    """Asks the kube-proxy of this node, which may not be there."""

    def __init__(self, address: Endpoint = DEFAULT) -> None:
        self._address = address
        self._version: str | None = None

    def __call__(self) -> dict[str, object]:
        """Both, as a line tells them: "ipvs" and "v1.33.1"; "" where it does not answer."""
        mode = _get(self._address, "/proxyMode").decode(errors="replace").strip()
        if not mode:
            self._version = None  # another one may come
        elif self._version is None:  # asked once: it is long
            found = _VERSION.search(_get(self._address, "/metrics"))
            self._version = found[1].decode(errors="replace") if found else ""
        return {"proxy_mode": mode, "proxy_version": self._version or ""}


def _get(address: Endpoint, path: str) -> bytes:
    """The body; b"" where there is no answer, or another status than 200."""
    answer = b""
    try:
        with socket.create_connection(address, _WITHIN) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            while len(answer) < _MOST and (chunk := connection.recv(65536)):
                answer += chunk
    except OSError:
        return b""
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if head.split()[1:2] == [b"200"] else b""
