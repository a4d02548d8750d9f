"""https targets: certificates that are trusted and not, and keep-alive, over real TLS."""

import select
import socket
import ssl
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from ipvsload.errors import UsageError
from ipvsload.load.tls_socket import TlsSocket
from ipvsload.scenario.url import HttpTarget, Tls
from ipvsload.tls import client_context
from tests.load.https_server import Authority, https_server, make_authority
from tests.load.sending import Record, Sending, Server


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("certificates"))


def errors(target: HttpTarget) -> list[str | None]:
    with Sending(target) as sending:
        return [record.error for record in sending.play(users=1, requests=2)]


def play(target: HttpTarget, **spec: Any) -> list[Record]:
    with Sending(target) as sending:
        return sending.play(**{"users": 4, "requests": 40, **spec})


@pytest.mark.parametrize("size", [0, 2, 16_384, 300_000])
@pytest.mark.parametrize("connection", ["new", "keep-alive"])
def test_answers_come_whole(files: Authority, size: int, connection: str) -> None:
    with https_server(files, body=bytes(size)) as (target, _):
        records = play(target, connection=connection)
    assert {(r.status, r.error, r.size) for r in records} == {(200, None, size)}
    assert {r.server for r in records} == {"198.51.100.11:443"}
    fresh = sum(not r.reused for r in records)
    assert fresh == len({r.port for r in records}) == (40 if connection == "new" else 4)


def test_what_tls_says_between_two_requests_ends_no_connection(files: Authority) -> None:
    # With TLS 1.3 a server sends session tickets when it likes, mostly after the handshake.
    with https_server(files) as (target, _):
        records = play(target, users=1, requests=3, connection="keep-alive", think=0.2)
    assert [r.reused for r in records] == [False, True, True]


def test_the_client_shows_its_certificate(files: Authority) -> None:
    with https_server(files, demands_certificate=True) as (target, peers):
        known = target._replace(tls=Tls(ca=files.ca, client_cert=files.client))
        assert errors(known) == [None, None]
        assert peers == ["(('DNS', 'somebody'),)"] * 2
        assert all(error and "certificate required" in error for error in errors(target))


def test_a_certificate_of_nobody_known_is_named_as_the_cause(files: Authority) -> None:
    with https_server(files) as (target, peers):
        unknown = "certificate: unable to get local issuer certificate"
        assert errors(target._replace(tls=Tls())) == [unknown] * 2
        other = "certificate: Hostname mismatch, certificate is not valid for 'localhost'"
        assert errors(target._replace(host="localhost")) == [other] * 2
        assert peers == []
        assert errors(target._replace(tls=Tls(insecure=True))) == [None, None]


def test_a_server_without_tls_is_named_as_the_cause() -> None:
    def plain(connection: Any, _: object) -> None:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Server(plain) as server:
        found = errors(HttpTarget(*server.target, Tls(insecure=True)))
    assert found == ["TLS: wrong version number"] * 2


def test_a_server_that_says_nothing_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = HttpTarget("127.0.0.1", listener.getsockname()[1], Tls(insecure=True))
        with Sending(target) as sending:
            (record,) = sending.play(users=1, requests=1, timeout=0.2)
    assert record.error == "timeout"


def test_a_reset_behind_half_an_answer_is_no_end_in_order(files: Authority) -> None:
    def half(secure: ssl.SSLSocket) -> None:
        secure.sendall(b"half")
        secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        secure.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.server)
    context.num_tickets = 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plain = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        plain.setblocking(False)
        ours = TlsSocket(plain, client_context(Tls(insecure=True)), "localhost")
        server = threading.Thread(
            target=lambda: half(context.wrap_socket(accepted, server_side=True))
        )
        server.start()
        while True:
            try:
                ours.send(b"x")
                break
            except BlockingIOError:
                select.select([plain], [], [], 5)
        server.join()
        # The reset has come, behind what is still to be read.
        events = select.poll()
        events.register(plain, select.POLLERR)
        assert events.poll(5000)
        assert ours.recv(100) == b"half"
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                ours.recv(100)
        ours.close()


def test_files_that_are_none_are_refused(files: Authority, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    for tls, said in (
        (Tls(ca=str(rubbish)), f"--ca {rubbish}: there are not certificates"),
        (Tls(ca="/no/such.pem"), "--ca /no/such.pem: No such file"),
        (Tls(client_cert=files.ca), f"--client-cert {files.ca}: there are not a certificate and"),
        (Tls(client_cert=files.client, client_key=str(rubbish)), f"--client-key {rubbish}: there"),
        (Tls(client_cert="/no/such.pem"), "--client-cert /no/such.pem: No such file"),
    ):
        with pytest.raises(UsageError, match=said):
            client_context(tls)
