"""/containerLogs as a kubelet serves it (pkg/kubelet/server/server.go), for a real API server."""

import contextlib
import http.server
import ssl
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.kubernetes.kubelet import Log

PORT = 10250


def serve_logs(logs: dict[tuple[str, str], Log], address: str, place: Path) -> None:
    """Serve them on the kubelets' port of this address, until this process ends."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=kubelet",
         "-keyout", place / "kubelet.key", "-out", place / "kubelet.crt"],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            _, _, namespace, name, *_ = parts.path.split("/")
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            log = logs.get((namespace, name))
            if log is None or query.get("previous") == "true":
                self.send_error(400, "no such container")
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            since = time.time() - float(query["sinceSeconds"]) if "sinceSeconds" in query else 0
            tail = int(query["tailLines"]) if "tailLines" in query else None
            with contextlib.suppress(OSError):
                follow = query.get("follow") == "true"
                for line in log.read(follow=follow, since=since, tail=tail):
                    if line:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                        self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer((address, PORT), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "kubelet.crt", place / "kubelet.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
