"""The lab's real servers: httpbin's answers, one process that is many, and their deaths."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.asking import TIMEOUT, Target, connect, exchange, get
from tests.load.real import RealServers, free_port, fresh_address


@pytest.fixture(scope="module")
def servers() -> Iterator[RealServers]:
    with RealServers() as found:
        yield found


@pytest.fixture(scope="module")
def target(servers: RealServers) -> Target:
    return servers.add()


def test_who_answers_and_how_long_the_body_is(target: Target) -> None:
    status, headers, body = get(target, "/ip")
    assert (status, body) == (200, '{\n  "origin": "127.0.0.1"\n}\n')
    assert headers["x-real-server"] == f"{target[0]}:{target[1]}"
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(body))
    assert headers["connection"] == "close"
    assert time.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT")


def test_get(target: Target) -> None:
    _, _, body = get(target, "/get?x=1&y=a%20b&x=2", "accept: */*", "X-Two: 1", "X-Two: 2")
    assert body == json.dumps(json.loads(body), indent=2, sort_keys=True) + "\n"
    assert json.loads(body) == {
        "args": {"x": ["1", "2"], "y": "a b"},
        "headers": {"Accept": "*/*", "Connection": "close", "Host": "there", "X-Two": "1,2"},
        "origin": "127.0.0.1",
        "url": "http://there/get?x=1&y=a%20b&x=2",
    }


def test_headers(target: Target) -> None:
    _, _, body = get(target, "/headers", "x-ONE: 1")
    assert json.loads(body) == {"headers": {"Connection": "close", "Host": "there", "X-One": "1"}}


def test_delay(target: Target) -> None:
    began = time.monotonic()
    status, _, body = get(target, "/delay/0.2?x=1")
    assert time.monotonic() - began >= 0.2
    assert status == 200
    found = json.loads(body)
    assert (found["args"], found["data"], found["files"], found["form"]) == ({"x": "1"}, "", {}, {})
    assert found["url"] == "http://there/delay/0.2?x=1"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/status/418", 418),
        ("/status/200", 200),
        ("/status/204", 204),
        ("/status/304", 304),
        ("/status/599", 599),
        ("/status/99", 400),
        ("/status/600", 400),
        ("/status/x", 400),
        ("/delay/x", 400),
        ("/delay/-1", 400),
        ("/delay/nan", 400),
        ("/", 404),
        ("/nothing", 404),
        ("/ip/", 404),
    ],
)
def test_statuses(target: Target, path: str, status: int) -> None:
    found, headers, body = get(target, path)
    assert found == status
    if status in (204, 304):
        assert "content-length" not in headers
        assert body == ""
    else:
        assert headers["content-length"] == str(len(body))
    assert "x-real-server" in headers


def test_head_has_no_body(target: Target) -> None:
    status, headers, body = get(target, "/ip", method="HEAD")
    assert (status, body) == (200, "")
    assert int(headers["content-length"]) > 0


def test_other_methods_are_not_allowed(target: Target) -> None:
    status, headers, _ = get(target, "/ip", "Content-Length: 0", method="DELETE")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def statuses(data: bytes) -> list[bytes]:
    return [part[:3] for part in data.split(b"HTTP/1.1 ")[1:]]


def test_a_connection_is_kept_or_closed_as_asked(target: Target) -> None:
    ask = b"GET /ip HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(target) as sock:
        for _ in range(3):
            sock.sendall(ask)
            answer = sock.recv(65_536)
            assert b"Connection: keep-alive" in answer
        sock.sendall(ask.replace(b"x\r\n", b"x\r\nConnection: close\r\n"))
        assert b"Connection: close" in sock.recv(65_536)
        assert sock.recv(1) == b""
    assert statuses(exchange(target, b"GET /ip HTTP/1.0\r\n\r\n")) == [b"200"]


def test_requests_sent_ahead_are_answered_in_their_order(target: Target) -> None:
    paths = ["/status/201", "/delay/0.1", "/status/202", "/delay/0.1", "/status/203"]
    ask = [f"GET {path} HTTP/1.1\r\nHost: x\r\n" for path in paths]
    data = "\r\n".join(ask) + "Connection: close\r\n\r\n"
    assert statuses(exchange(target, data.encode())) == [b"201", b"200", b"202", b"200", b"203"]


def test_what_follows_a_close_is_not_answered(target: Target) -> None:
    ask = b"GET /delay/0.1 HTTP/1.1\r\nConnection: close\r\n\r\n" + b"GET /ip HTTP/1.1\r\n\r\n" * 3
    assert statuses(exchange(target, ask)) == [b"200"]


def test_an_offer_to_upgrade_is_not_taken(target: Target) -> None:
    ask = b"GET /ip HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert statuses(exchange(target, ask)) == [b"200"]


def test_a_flood_of_requests_ahead_waits_for_its_reader(
    servers: RealServers, target: Target
) -> None:
    """Who asks and never reads is not read from any more, and others are still served."""
    ask = b"GET /get?x=" + b"y" * 1000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(target) as sock:
        sock.settimeout(0.5)
        before = resident(servers.process.pid)
        with pytest.raises(TimeoutError):
            sock.sendall(ask * 100_000)
        assert resident(servers.process.pid) - before < 20_000_000
        assert get(target, "/ip")[0] == 200


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET /ip HTTP/9.9\r\n\r\n",
        b"GET /ip HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /ip HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /ip HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"x" * 100_000,
        b"GET /ip HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
        b"POST /ip HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + b"x" * 100_000,
    ],
)
def test_what_is_no_request_is_refused(target: Target, data: bytes) -> None:
    with connect(target) as sock:
        sock.sendall(data)
        assert sock.recv(65_536).startswith(b"HTTP/1.1 400 ")
    assert get(target, "/ip")[0] == 200


def test_nonsense_after_a_request_waits_its_turn(target: Target) -> None:
    ask = b"GET /delay/0.1 HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n"
    assert statuses(exchange(target, ask)) == [b"200", b"400"]


def test_a_request_in_single_bytes(target: Target) -> None:
    with connect(target) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /status/201 HTTP/1.1\r\nHost: x\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert statuses(sock.recv(65_536)) == [b"201"]


# One process that is many servers


def test_a_thousand_servers_say_who_they_are(servers: RealServers) -> None:
    hosts = [fresh_address() for _ in range(20)]
    names = []
    for number in range(1000):
        host = hosts[number % len(hosts)]
        port = free_port(host)
        name = f"{host}:{port}"
        assert servers.tell(json.dumps({"add": name})) == {"added": name}
        names.append((host, port))
    assert len(set(names)) == 1000
    for target in names:
        assert get(target, "/ip")[1]["x-real-server"] == f"{target[0]}:{target[1]}"


def test_ipv6(servers: RealServers) -> None:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    port = free_port("::1")
    assert servers.tell(json.dumps({"add": f"[::1]:{port}"})) == {"added": f"[::1]:{port}"}
    _, headers, body = get(("::1", port), "/ip")
    assert json.loads(body) == {"origin": "::1"}
    assert headers["x-real-server"] == f"[::1]:{port}"


def test_a_killed_server_resets_refuses_and_can_come_again(
    servers: RealServers, target: Target
) -> None:
    victim = servers.add()
    name = f"{victim[0]}:{victim[1]}"
    idle, delayed = connect(victim), connect(victim)
    with idle, delayed:
        idle.sendall(b"GET /ip HTTP/1.1\r\n\r\n")
        assert idle.recv(65_536).startswith(b"HTTP/1.1 200")
        delayed.sendall(b"GET /delay/30 HTTP/1.1\r\n\r\n")
        time.sleep(0.05)
        assert servers.tell(json.dumps({"kill": name})) == {"killed": name}
        for sock in (idle, delayed):
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(victim)
    assert get(target, "/ip")[0] == 200
    assert servers.tell(json.dumps({"add": name})) == {"added": name}
    assert get(victim, "/ip")[0] == 200


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", "not JSON: b'\\n'"),
        ("{", "not JSON: b'{\\n'"),
        ("[]", "no command; there are add, freeze, kill, limit, restart, "),
        ('{"added": "a"}', "no command; there are add, freeze, kill, "),
        ('{"add": 7}', "not an address:port: 7"),
        ('{"add": "a", "kill": "b"}', "add: _add() got an unexpected keyword argument 'kill'"),
        ('{"add": "127.0.0.1"}', "not an address:port: '127.0.0.1'"),
        ('{"add": "127.0.0.1:0"}', "not an address:port: '127.0.0.1:0'"),
        ('{"add": "127.0.0.1:65536"}', "not an address:port: '127.0.0.1:65536'"),
        ('{"add": "localhost:80"}', "not an address:port: 'localhost:80'"),
        ('{"add": "192.0.2.1:80"}', "192.0.2.1:80: Cannot assign requested address"),
        ('{"limit": ["192.0.2.1:80"], "workers": 1}', "there is no server 192.0.2.1:80"),
        ('{"limit": [], "worker": 1}', "limit: _limit() got an unexpected keyword"),
        ('{"kill": "192.0.2.1:80"}', "there is no server 192.0.2.1:80"),
        ('"' + "x" * 70_000 + '"', "a line of more than 65536 bytes"),
    ],
)
def test_what_cannot_be_done_is_said(line: str, error: str) -> None:
    with RealServers() as servers:
        assert servers.tell(line)["error"].startswith(error)


def test_an_address_is_had_once(servers: RealServers, target: Target) -> None:
    name = f"{target[0]}:{target[1]}"
    assert servers.tell(json.dumps({"add": name})) == {"error": f"{name} is there already"}
    host = fresh_address()
    with socket.create_server((host, 0)) as other:
        name = f"{host}:{other.getsockname()[1]}"
        found = servers.tell(json.dumps({"add": name}))
        assert found == {"error": f"{name}: Address already in use"}
    assert servers.tell(json.dumps({"add": name})) == {"added": name}


def test_the_end_of_its_input_ends_it_in_the_middle_of_answers() -> None:
    servers = RealServers()
    with connect(servers.add()) as sock:
        sock.sendall(b"GET /delay/30 HTTP/1.1\r\n\r\n")
        servers.close()
        # A reset, or an end: whatever comes first of a process that is gone.
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_an_owner_that_goes_before_it_has_read_the_answers_leaves_no_traceback() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        program = [sys.executable, "-m", "ipvsload.testbed.lab.real_servers"]
        process = subprocess.Popen(
            program, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=-1
        )
    with ours:
        ours.settimeout(TIMEOUT)
        assert ours.recv(1, socket.MSG_PEEK)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, errors) == (0, b"")
