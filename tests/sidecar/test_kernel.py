"""The sidecar against a real kernel: one user-mode Linux, everything done in it once.

guest.py does, this asserts. The other witnesses are ipvsadm and /proc/net/ip_vs.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ipvsload.ipvs.keys import join_endpoint
from ipvsload.ipvs.sysctls import DECIDING_SYSCTLS, DEFAULT_TIMEOUTS
from ipvsload.record.sidecar_stream import (
    Connections,
    ConnectionsRead,
    End,
    Hello,
    Pong,
    Reading,
    Settings,
    SidecarParser,
)
from tests.sidecar import as_they_begin, bare_uml

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("sidecar-kernel")]


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one guest found. Of the processes that share these tests the first boots it."""
    if missing := bare_uml.missing():
        pytest.skip(missing)
    program, directory = Path(__file__).with_name("guest.py"), tmp_path_factory.mktemp("guest")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return bare_uml.run(program, directory)
    with (directory.parents[1] / "guest.json").open("a+") as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)
        shared.seek(0)
        if not (text := shared.read()):
            text = json.dumps(bare_uml.run(program, directory))
            shared.write(text)
            shared.flush()
    found: dict[str, Any] = json.loads(text)
    return found


def messages(lines: Iterable[str]) -> list[Any]:
    return SidecarParser().feed("".join(line.rstrip("\n") + "\n" for line in lines).encode())


@pytest.fixture(scope="module")
def reading(guest: dict[str, Any]) -> Reading:
    assert guest["table"]["status"] == 0, guest["table"]["err"]
    hello, _, *readings, end = messages(guest["table"]["out"])
    assert isinstance(hello, Hello)
    assert (hello.ipvs, hello.hz) == ("1.2.1", 50)
    assert isinstance(end, End)
    assert (end.reason, end.samples) == ("count", 2)
    assert readings[0].services == readings[1].services
    assert hello.t_ns < readings[0].t_ns < readings[1].t_ns
    last = readings[1]
    assert isinstance(last, Reading)
    return last


def ipvsadm_blocks(text: str) -> dict[str, tuple[list[str], dict[str, list[str]]]]:
    """[(kind, name, the other columns, [(server, columns)])] of ipvsadm's output."""
    blocks: list[tuple[str, list[str], list[tuple[str, list[str]]]]] = []
    for line in text.splitlines():
        words = line.split()
        if line.startswith("  -> ") and words[1] != "RemoteAddress:Port":
            blocks[-1][-1].append((words[1], words[2:]))
        elif words and words[0] in ("TCP", "UDP", "SCTP", "FWM"):
            version = words[2:3] == ["IPv6"]
            key = f"{words[0].lower()} {words[1]}".replace("fwm ", "fwmark ")
            blocks.append((key + (" v6" if version else ""), words[2 + version :], []))
    return {key: (rest, dict(servers)) for key, rest, servers in blocks}


def test_the_table_is_what_ipvsadm_lists(guest: dict[str, Any], reading: Reading) -> None:
    listed = ipvsadm_blocks(guest["list"])
    assert sorted(listed) == sorted(service.key for service in reading.services)
    assert {"tcp", "udp", "sctp", "fwmark"} == {key.split()[0] for key in listed}
    for service in reading.services:
        rest, servers = listed[service.key]
        assert service.scheduler == rest[0]
        timeout = int(rest[rest.index("persistent") + 1]) if "persistent" in rest else 0
        assert service.persistent_timeout == timeout
        assert bool(service.flags & 0x10) == ("(mh-port)" in rest)
        assert {
            server.address: ["Masq", str(server.weight), str(server.active), str(server.inactive)]
            for server in service.servers
        } == servers


@pytest.mark.parametrize("way", [0, 1], ids=["asked", "in a pod"])
def test_each_connection_is_told_once(guest: dict[str, Any], way: int) -> None:
    *lines, status = guest["told"][way]
    assert status == "0"
    told = messages(lines)
    rows = [row for one in told if isinstance(one, Connections) for row in one.rows]
    assert sorted(rows) == sorted(
        (host, port, "127.0.0.1:8080", "ESTABLISHED", 80) for host, port in guest["clients"]
    )
    reads = [one for one in told if isinstance(one, ConnectionsRead)]
    assert {(one.source, one.why) for one in reads} == {("ip_vs_conn", "")}
    assert {one.entries for one in reads} == {len(guest["conns"].splitlines()) - 1}
    assert isinstance(told[-1], End)


@pytest.mark.parametrize(
    ("way", "source"), [(0, "packets"), (1, "nf_conntrack")], ids=["packets", "tracked"]
)
def test_where_the_list_is_too_slow_connections_are_told_as_they_begin(
    guest: dict[str, Any], way: int, source: str
) -> None:
    found = guest["begun"][way]
    assert (found["status"], found["refused"]) == (0, 3)
    told = messages(found["lines"])
    rows = [row for one in told if isinstance(one, Connections) for row in one.rows]
    asked = {(client, port) for client, port, _ in found["asked"]}
    served = [row[:3] for row in rows if row[:2] in asked]
    assert sorted(served) == sorted(
        (client, port, join_endpoint(server, 83)) for client, port, server in found["asked"]
    )
    # Those of the way before are in the list, and closed.
    now = [row for row in rows if row[0] == as_they_begin.VIP and row[3] != "CLOSE"]
    refused = [server for _, _, server, _, of in now if of == 81]
    assert set(refused) == {"198.51.100.2:81", "198.51.100.3:81"}
    assert len(refused) == 3
    reads = [one for one in told if isinstance(one, ConnectionsRead)]
    assert {one.why for one in reads} == {""}
    # Where nothing has been tracked yet, packets are looked at, too.
    assert reads[-1].source in (source, f"{source} and packets")


def test_the_counters_are_those_of_ipvsadm(guest: dict[str, Any], reading: Reading) -> None:
    counted = ipvsadm_blocks(guest["stats"])
    assert len(counted) == len(reading.services)
    for service in reading.services:
        rest, servers = counted[service.key]
        assert _totals(service) == rest
        assert {server.address: _totals(server) for server in service.servers} == servers


def _totals(one: object) -> list[str]:
    return [
        str(getattr(one, name)) for name in ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
    ]


def test_traffic_is_counted(reading: Reading) -> None:
    (service,) = (one for one in reading.services if one.key == "tcp 192.0.2.90:80")
    (server,) = service.servers
    assert (server.address, server.active, server.conns) == ("127.0.0.1:8080", 5, 5)
    assert server.inbytes > 500  # five times 100 bytes and their headers
    assert service.conns == 5


def test_proc_lists_the_same_servers_in_the_same_order(
    guest: dict[str, Any], reading: Reading
) -> None:
    listed = re.findall(
        r"-> (\[?[0-9A-Fa-f:]+\]?):([0-9A-F]{4}) +Masq +(\d+) +(\d+) +(\d+)", guest["proc"]
    )
    assert [(int(port, 16), int(w), int(a), int(i)) for _, port, w, a, i in listed] == [
        (int(server.address.rpartition(":")[2]), server.weight, server.active, server.inactive)
        for service in reading.services
        for server in service.servers
    ]


def test_both_readers_give_the_same_table(guest: dict[str, Any], reading: Reading) -> None:
    """But for what /proc does not tell: counters, and that a mark is for IPv6."""
    services = {one["key"]: one for one in json.loads(guest["read_from_proc"])["services"]}
    assert set(services) == {service.key.removesuffix(" v6") for service in reading.services}
    for service in reading.services:
        other = services[service.key.removesuffix(" v6")]
        assert other["scheduler"] == service.scheduler
        # There it is in jiffies; how many make a second root can find out in user-mode Linux.
        assert other["persistent_timeout"] == service.persistent_timeout
        assert other["flags"] & 0x1 == bool(service.persistent_timeout)
        assert [row[:4] for row in other["servers"]] == [list(one[:4]) for one in service.servers]
    (server,) = services["tcp 192.0.2.90:80"]["servers"]
    assert server[5] == 5  # counted out of the list of connections


def test_a_service_without_servers_is_there(reading: Reading) -> None:
    (service,) = (one for one in reading.services if one.key == "tcp 192.0.2.83:80")
    assert service.servers == ()


def test_a_thousand_servers(guest: dict[str, Any]) -> None:
    services = json.loads(guest["many"])["services"]
    (service,) = (one for one in services if one["key"] == "tcp 192.0.2.81:80")
    assert len(services) > 5
    assert [row[:2] for row in service["servers"]] == [
        [f"198.51.{100 + i // 250}.{1 + i % 250}:80", i] for i in reversed(range(1000))
    ]


def test_no_server_stands_twice_while_the_table_changes(guest: dict[str, Any]) -> None:
    churn = guest["churn"]
    assert churn["end"]["samples"] == 20
    assert churn["repeated"] == 0
    assert 1000 in churn["lengths"]


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ("add", "done"),
        ("add server", "done"),
        ("reweigh", "done"),
        ("delete server", "done"),
        ("set scheduler", "done"),
        ("add again", "ExistsError: adding tcp 192.0.2.99:80: it is in the table already"),
        ("add server again", "ExistsError: .*already"),
        ("delete missing service", "NotFoundError: .*no such virtual service"),
        ("add server without service", "NotFoundError: .*no such virtual service"),
        ("set scheduler of missing service", "NotFoundError: .*no such virtual service"),
        ("reweigh missing server", "NotFoundError: .*no such real server"),
        ("delete missing server", "NotFoundError: .*no such real server"),
        ("unknown scheduler", "SchedulerError: .*modprobe ip_vs_nope.*"),
        ("set unknown scheduler", "SchedulerError: .*modprobe ip_vs_nope.*"),
    ],
)
def test_verbs(guest: dict[str, Any], step: str, outcome: str) -> None:
    assert re.fullmatch(outcome, guest["verbs"][step])


def test_a_change_of_scheduler_leaves_the_rest(guest: dict[str, Any]) -> None:
    *_, reading, _ = messages(guest["after_verbs"])
    (service,) = reading.services
    assert (service.scheduler, service.persistent_timeout) == ("lc", 60)
    assert service.flags & 1


def test_the_empty_table(guest: dict[str, Any]) -> None:
    *_, reading, _ = messages(guest["empty"])
    assert reading.services == ()


def test_what_is_set_on_the_director_is_told(guest: dict[str, Any]) -> None:
    before, after = messages(guest["table"]["out"])[1], messages(guest["talk"]["first"])[1]
    assert isinstance(before, Settings)
    assert isinstance(after, Settings)
    assert before.timeouts == DEFAULT_TIMEOUTS
    assert after.timeouts == {"tcp": 5, "tcp_fin": 6, "udp": 7}
    known = DECIDING_SYSCTLS.keys() & before.sysctls.keys()
    assert len(known) >= 12  # conn_max came later
    assert {name: before.sysctls[name] for name in known} == {
        name: DECIDING_SYSCTLS[name] for name in known
    }
    assert before.sysctls["sync_threshold"] == "3 50"
    assert after.sysctls == {**before.sysctls, "conn_reuse_mode": 0}


def test_a_conversation(guest: dict[str, Any]) -> None:
    talk = guest["talk"]
    hello, _, reading, pong, end = messages([*talk["first"], talk["pong"], *talk["rest"]])
    assert hello.node == "n1"
    assert isinstance(reading, Reading)
    assert isinstance(pong, Pong)
    assert pong.id == 'a"b'
    assert talk["before"] <= pong.t_ns <= talk["after"]
    assert (end.reason, end.samples) == ("SIGTERM", 1)
    assert talk["status"] == talk["asked_status"] == 0
    assert messages(talk["asked"])[-1].reason == "asked"


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("without_ip_vs", "modprobe ip_vs"),
        ("bounded", "CAP_NET_ADMIN"),
        ("unshared", "initial user namespace"),
    ],
)
def test_what_is_missing_is_said_in_one_line(guest: dict[str, Any], case: str, says: str) -> None:
    result = guest[case]
    assert result["status"] == 3
    assert result["out"] == []
    assert result["err"].count("\n") == 1
    assert says in result["err"]


def lines(text: str) -> list[str]:
    """Ipvsadm's rules in the order of names: the kernel's own order is that of a hash."""
    return sorted(text.splitlines())


def test_somebodys_virtual_servers_are_put_back_as_they_were(guest: dict[str, Any]) -> None:
    kept = guest["kept"]
    assert len(lines(kept["before"])) == 10
    assert kept["added"] == [True] * 5
    assert lines(kept["ours"]) == lines(kept["before"])
    # Servers in their order: ties go to the first of the kernel's list.
    servers = [line for line in kept["before"].splitlines() if line.startswith("-a -f 9 ")]
    assert servers == [line for line in kept["ours"].splitlines() if line.startswith("-a -f 9 ")]
    assert not any(kept["again"])
    assert kept["kept_theirs"] is True


def test_the_text_for_ipvsadm_does_the_same(guest: dict[str, Any]) -> None:
    assert lines(guest["kept"]["by_text"]) == lines(guest["kept"]["before"])


def test_what_a_killed_run_left_is_removed_and_nothing_else(guest: dict[str, Any]) -> None:
    kept = guest["kept"]
    assert kept["removed"] == [[True, {}], [False, {}]]
    gone = set(lines(kept["before_removal"])) - set(lines(kept["after_removal"]))
    assert gone == {"-A -t 10.96.0.1:80 -s rr", "-A -t 192.0.2.90:30603 -s rr"}


def test_what_stands_at_kube_proxys_own_device_is_its_own(guest: dict[str, Any]) -> None:
    kept = guest["kept"]
    found = {one["key"]: one for one in kept["told"]["others"]}
    assert "tcp 10.96.0.1:443" not in found
    # A mark's family is not in /proc.
    assert {key.removesuffix(" v6") for key in found} == {one["key"] for one in kept["from_proc"]}
    assert "10.96.0.1" not in kept["told"]["addresses"]
    assert {"127.0.0.1", "192.0.2.90"} <= set(kept["told"]["addresses"])
    dns = found["udp 203.0.113.9:53"]
    assert (dns["persistent_timeout"], dns["flags"], dns["complete"]) == (600, 0x15, True)


def test_proc_tells_the_servers_and_says_that_it_does_not_tell_all(guest: dict[str, Any]) -> None:
    kept = guest["kept"]
    by_netlink = {one["key"].removesuffix(" v6"): one for one in kept["told"]["others"]}
    for one in kept["from_proc"]:
        assert one["complete"] is False
        theirs = by_netlink[one["key"]]
        assert one["scheduler"] == theirs["scheduler"]
        for field in ("address", "forward", "weight"):
            assert [s[field] for s in one["servers"]] == [s[field] for s in theirs["servers"]]
