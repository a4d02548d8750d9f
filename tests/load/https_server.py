"""An https server in threads of its own, as the servers behind a balancer are."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple

import trustme

from ipvsload.scenario.url import HttpTarget, Tls


class Authority(NamedTuple):
    """A certificate authority with a server's certificate and a client's, as files."""

    ca: str
    server: str
    client: str


def make_authority(directory: Path) -> Authority:
    """Make them; each file of a certificate has its key, too."""
    directory.mkdir(exist_ok=True)
    authority = trustme.CA()
    files = Authority(*(str(directory / f"{name}.pem") for name in Authority._fields))
    authority.cert_pem.write_to_path(files.ca)
    for path, name in ((files.server, "127.0.0.1"), (files.client, "somebody")):
        authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(path)
    return files


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body: ClassVar[bytes] = b""
    peers: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        certificate = self.connection.getpeercert()
        self.peers.append(str(certificate.get("subjectAltName", "")) if certificate else "")
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.send_header("X-Real-Server", "198.51.100.11:443")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    context: ssl.SSLContext
    block_on_close = False

    def finish_request(self, request: object, client_address: object) -> None:
        # In the connection's own thread, since the client may be slow, or no TLS client.
        assert isinstance(request, ssl.SSLSocket)
        try:
            request.do_handshake()
        except OSError:
            return
        super().finish_request(request, client_address)

    def handle_error(self, *_: object) -> None:
        """Clients that go away are no news."""


@contextmanager
def https_server(
    files: Authority, *, body: bytes = b"ok", demands_certificate: bool = False
) -> Iterator[tuple[HttpTarget, list[str]]]:
    """Yield where it is, to be trusted by the authority, and the name of each request's client."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.server)
    if demands_certificate:
        context.load_verify_locations(files.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    peers: list[str] = []
    handler = type("Handler", (_Handler,), {"body": body, "peers": peers})
    server = _Server(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield HttpTarget("127.0.0.1", server.server_address[1], Tls(ca=files.ca)), peers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
