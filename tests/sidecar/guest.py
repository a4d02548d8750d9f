"""Runs as the init of a user-mode Linux: uses the real thing and reports what came of it.

It only does and reports; the assertions are in test_kernel.py.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.sidecar import as_they_begin
from tests.sidecar.bare_uml import be_init, modprobe, report

COLLECT = [sys.executable, "-m", "ipvsload.sidecar.collect"]
MANY = "tcp 192.0.2.81:80"
TRAFFIC = "tcp 192.0.2.90:80"


class Forked:
    """`ipvsload collect` in a child of this process: a second sooner than a new interpreter."""

    def __init__(self, *options: str, module: str = "collect", part: float = 0.75) -> None:
        main = import_module(f"ipvsload.sidecar.{module}").main
        from ipvsload.sidecar import connection_reader

        theirs, ours = os.pipe(), os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.dup2(theirs[0], 0)
            os.dup2(ours[1], 1)
            for end in (*theirs, *ours):
                os.close(end)
            connection_reader._PART = part
            os._exit(main(list(options)))
        os.close(theirs[0])
        os.close(ours[1])
        self.stdin = os.fdopen(theirs[1], "w", buffering=1)
        self.stdout = os.fdopen(ours[0])

    def signal(self, number: int) -> None:
        os.kill(self._pid, number)

    def wait(self) -> int:
        """Its exit status."""
        self.stdin.close()
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def collect(*options: str, under: Sequence[str] = ()) -> dict[str, Any]:
    done = subprocess.run(
        [*under, *COLLECT, *options], capture_output=True, text=True, timeout=180,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return {"status": done.returncode, "out": done.stdout.splitlines(), "err": done.stderr}


def collect_forked(*options: str) -> list[str]:
    child = Forked(*options)
    child.stdin.close()
    lines = child.stdout.read().splitlines()
    if status := child.wait():
        raise RuntimeError(f"collect ended with {status}")
    return lines


def outcome(call: Any, *arguments: Any) -> str:
    try:
        call(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "done"


def fill(ipvs: Any) -> None:
    for key, scheduler, properties in (
        ("tcp 192.0.2.80:80", "rr", {}),
        ("udp 192.0.2.80:53", "wlc", {}),
        ("sctp 192.0.2.80:3868", "lc", {}),
        ("tcp [2001:db8::80]:443", "wrr", {}),
        ("fwmark 7", "sh", {}),
        ("fwmark 8 v6", "sh", {}),
        ("tcp 192.0.2.82:80", "mh", {"flags": 0x10, "persistent_timeout": 300}),
        ("tcp 192.0.2.83:80", "rr", {}),
    ):
        ipvs.add_service(key, scheduler, **properties)
        if key == "tcp 192.0.2.83:80":
            continue  # stays without servers
        if "2001" in key or "v6" in key:
            ipvs.add_server(key, "[2001:db8:1::11]:443", 5)
            ipvs.add_server(key, "[2001:db8:1::12]:443", 0)
        else:
            ipvs.add_server(key, "198.51.100.11:80", 1)
            ipvs.add_server(key, "198.51.100.12:8080", 65535)


def verbs(ipvs: Any) -> dict[str, str]:
    key, server = "tcp 192.0.2.99:80", "198.51.100.99:80"
    steps: list[tuple[Any, ...]] = [
        ("delete missing service", ipvs.delete_service, key),
        ("add server without service", ipvs.add_server, key, server, 1),
        ("unknown scheduler", ipvs.add_service, key, "nope"),
        ("add", lambda: ipvs.add_service(key, "wlc", persistent_timeout=60)),
        ("add again", ipvs.add_service, key, "rr"),
        ("reweigh missing server", ipvs.set_weight, key, server, 2),
        ("delete missing server", ipvs.delete_server, key, server),
        ("add server", ipvs.add_server, key, server, 1),
        ("add server again", ipvs.add_server, key, server, 1),
        ("reweigh", ipvs.set_weight, key, server, 7),
        ("set unknown scheduler", ipvs.set_scheduler, key, "nope"),
        ("set scheduler of missing service", ipvs.set_scheduler, "tcp 192.0.2.98:80", "lc"),
        ("delete server", ipvs.delete_server, key, server),
        ("set scheduler", ipvs.set_scheduler, key, "lc"),
    ]
    return {name: outcome(*call) for name, *call in steps}


def traffic(ipvs: Any) -> list[socket.socket]:
    """Five connections that stay, through a real server on the loopback."""
    subprocess.run(["ip", "address", "add", "192.0.2.90/32", "dev", "lo"], check=True)
    server = socket.create_server(("127.0.0.1", 8080))
    ipvs.add_service(TRAFFIC, "rr")
    ipvs.add_server(TRAFFIC, "127.0.0.1:8080", 1)
    held = [socket.create_connection(("192.0.2.90", 80), timeout=5) for _ in range(5)]
    for connection in held:
        connection.sendall(b"x" * 100)
    time.sleep(2.5)  # the kernel adds up the counters every 2 s
    return [server, *held]


def conversation() -> dict[str, Any]:
    """Pings, then a signal; and another one that is asked to end."""
    one = Forked("--hz", "0.1", "--node", "n1")
    first = [one.stdout.readline() for _ in ("hello", "settings", "sample")]
    before = time.monotonic_ns()
    one.stdin.write('ping a"b\n')
    pong = one.stdout.readline()
    after = time.monotonic_ns()
    one.stdin.close()
    one.signal(signal.SIGTERM)
    rest = one.stdout.readlines()
    other = Forked("--hz", "0.1")
    other.stdin.write("end\n")
    return {
        "first": first, "before": before, "pong": pong, "after": after, "rest": rest,
        "status": one.wait(), "asked": other.stdout.readlines(), "asked_status": other.wait(),
    }  # fmt: skip


def told_connections(*options: str, module: str, command: str = "") -> list[str]:
    """What is told of the connections that `traffic` holds, in two readings."""
    child, told = Forked("--hz", "10", *options, module=module), list[str]()
    child.stdin.write(command)
    while sum("connections_read" in line for line in told) < 2:
        told.append(child.stdout.readline())
    child.signal(signal.SIGTERM)
    return [*told, *child.stdout.readlines(), str(child.wait())]


def come_and_go() -> None:
    """Until it is killed."""
    from ipvsload.ipvs.client import Ipvs

    service, server = "tcp 192.0.2.84:80", "203.0.113.84:80"
    with Ipvs() as ipvs:
        while True:
            ipvs.add_service(service, "rr")
            ipvs.add_server(service, server, 1)
            ipvs.add_server(MANY, server, 1)
            ipvs.delete_server(MANY, server)
            ipvs.delete_service(service)


def churn() -> dict[str, Any]:
    """Servers and services come and go while the table is read."""
    child = os.fork()
    if child == 0:
        try:
            come_and_go()
        finally:
            os._exit(1)
    try:
        out = collect_forked("--hz", "50", "--count", "20")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    lines = [json.loads(line) for line in out]
    servers = [
        [server[0] for server in service["servers"]]
        for line in lines[2:-1]
        for service in line["services"]
    ]
    return {
        "end": lines[-1],
        "repeated": sum(len(set(addresses)) < len(addresses) for addresses in servers),
        "lengths": sorted({len(addresses) for addresses in servers}),
    }


# What people set: forwarding, thresholds, netmask, flags, an engine of persistence, a tunnel.
KEPT = """\
-A -t 203.0.113.9:6443 -s wlc
-a -t 203.0.113.9:6443 -r 198.51.100.21:6443 -m -w 7
-a -t 203.0.113.9:6443 -r 198.51.100.22:6443 -g -w 0 -x 100 -y 50
-A -u 203.0.113.9:53 -s sh -b sh-port -p 600 -M 255.255.255.0 --ops
-A -t [2001:db8::9]:443 -s mh -p 90 -M 64 -b mh-fallback,mh-port
-a -t [2001:db8::9]:443 -r [2001:db8:1::21]:443 -m -w 1
-A -f 9 -s rr
-a -f 9 -r 198.51.100.23:0 -i -w 3
-a -f 9 -r 198.51.100.24:0 -i -w 4 --tun-type gue --tun-port 6080 --tun-csum
-A -f 10 -6 -s rr
"""


def ipvsadm(*words: str, text: str = "") -> str:
    return subprocess.run(
        ["ipvsadm", *words], input=text, capture_output=True, text=True, check=True
    ).stdout


def kept() -> dict[str, Any]:
    """Somebody's virtual servers, saved, taken away and put back, by netlink and by ipvsadm."""
    from ipvsload.ipvs.ipvsadm import restoring
    from ipvsload.ipvs.saved_services import from_json
    from ipvsload.ipvs.service_keeper import ServiceKeeper
    from ipvsload.sidecar.other_services import OtherServices
    from ipvsload.sidecar.put_back import put_right

    for words in (["add", "kube-ipvs0", "type", "dummy"], ["set", "kube-ipvs0", "up"]):
        subprocess.run(["ip", "link", *words], check=True)
    subprocess.run(["ip", "addr", "add", "10.96.0.1/32", "dev", "kube-ipvs0"], check=True)
    ipvsadm("-C")
    ipvsadm("-R", text=KEPT + "-A -t 10.96.0.1:443 -s rr\n")
    told = json.loads(json.dumps(OtherServices(netlink=True)()))
    from_proc = OtherServices(netlink=False)()["others"]
    ipvsadm("-D", "-t", "10.96.0.1:443")
    before = ipvsadm("-Sn")
    saved = [from_json(one) for one in told["others"]]
    ipvsadm("-C")
    with ServiceKeeper() as keeper:
        added = [keeper.put_back(one) for one in saved]
        ours = ipvsadm("-Sn")
        again = [keeper.put_back(one) for one in saved]
        # Somebody has it again, in another way: theirs stays.
        ipvsadm("-E", "-t", "203.0.113.9:6443", "-s", "rr")
        ipvsadm("-d", "-t", "203.0.113.9:6443", "-r", "198.51.100.21:6443")
        theirs = ipvsadm("-Sn")
        for one in saved:
            keeper.put_back(one)
        kept_theirs = ipvsadm("-Sn") == theirs
    ipvsadm("-C")
    ipvsadm("-R", text=restoring(saved))
    by_text = ipvsadm("-Sn")
    for rest in ("10.96.0.1:80", "192.0.2.90:30603", "203.0.113.9:30603"):
        ipvsadm("-A", "-t", rest, "-s", "rr")
    ipvsadm("-A", "-u", "192.0.2.90:30603", "-s", "rr")
    before_removal = ipvsadm("-Sn")
    removed = [put_right(saved, [("10.96.0.1", 80), ("", 30603)], {}) for _ in range(2)]
    return {
        "before_removal": before_removal, "removed": removed, "after_removal": ipvsadm("-Sn"),
        "told": told, "from_proc": from_proc, "before": before, "added": added, "ours": ours,
        "again": again, "kept_theirs": kept_theirs, "by_text": by_text,
    }  # fmt: skip


def main() -> None:
    # Real servers are refused while no address was ever configured (ip_vs_new_dest
    # asks for the address's type, which needs the local routing table).
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    report(without_ip_vs=collect("--count", "1"))
    modprobe(
        "ip_vs",
        "nf_conntrack_netlink",
        "iptable_nat",
        "xt_MASQUERADE",
        "dummy",
        "veth",
        *(f"ip_vs_{name}" for name in ("rr", "wrr", "lc", "wlc", "sh", "mh")),
    )
    from ipvsload.ipvs.client import Ipvs
    from ipvsload.ipvs.procfs import ProcIpvs
    from ipvsload.sidecar.lines import SampleFormatter

    with Ipvs() as ipvs:
        report(version=ipvs.version, verbs=verbs(ipvs))
        report(after_verbs=collect_forked("--count", "1"))
        ipvs.delete_service("tcp 192.0.2.99:80")
        report(empty=collect_forked("--count", "1"))
        fill(ipvs)
        held = traffic(ipvs)
        report(
            table=collect("--count", "2", "--hz", "50"),
            stats=subprocess.check_output(["ipvsadm", "-ln", "--stats", "--exact"], text=True),
            list=subprocess.check_output(["ipvsadm", "-ln"], text=True),
            saved=subprocess.check_output(["ipvsadm", "-Sn"], text=True),
            proc=Path("/proc/net/ip_vs").read_text(),
            read_from_proc=SampleFormatter().sample(0, 0, 0, ProcIpvs().table()),
        )
        report(
            told=[
                told_connections(module="collect", command="connections 192.0.2.90:80\n"),
                told_connections("--service", ":80", "--service", ":53", module="pod"),
            ],
            clients=[list(one.getsockname()) for one in held[1:]],
            conns=Path("/proc/net/ip_vs_conn").read_text(),
        )
        servers = as_they_begin.serve()
        report(
            begun=[
                as_they_begin.ask(ipvs, Forked("--hz", "10", part=0.0), tracked=tracked)
                for tracked in (False, True)
            ]
        )
        os.kill(servers, signal.SIGKILL)
        for one in held:
            one.close()
        subprocess.run(["ipvsadm", "--set", "5", "6", "7"], check=True)
        Path("/proc/sys/net/ipv4/vs/conn_reuse_mode").write_text("0")
        report(talk=conversation())
        report(
            bounded=collect("--count", "1", under=["setpriv", "--bounding-set", "-net_admin"]),
            unshared=collect("--count", "1", under=["unshare", "--user", "--map-root-user"]),
        )
        ipvs.add_service(MANY, "rr")
        for i in range(1000):
            ipvs.add_server(MANY, f"198.51.{100 + i // 250}.{1 + i % 250}:80", i)
        report(many=collect_forked("--count", "1")[2])
        report(churn=churn())
        report(kept=kept())
    report(done=True)


if __name__ == "__main__":
    be_init(main)
