"""In the guest: connections that are told as they begin, because no reading of the list is quick.

Real servers are in a network namespace behind a veth, since what stays on a machine leaves by no
device.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from ipvsload.ipvs.client import Ipvs
from ipvsload.ipvs.keys import join_endpoint

SERVED, REFUSED = 83, 81
VIPS = {"192.0.2.91": ("198.51.100.2", "198.51.100.3"), "2001:db8::91": ("2001:db8:1::2",)}
VIP, VIP6 = VIPS
NO_DAD = ("nodad",)
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def serve() -> int:
    """Real servers, each answers with its address; returns the process that they are in."""
    ip("link", "add", "near", "type", "veth", "peer", "name", "far")
    for host in ("198.51.100.1/24", "2001:db8:1::1/64"):
        ip("address", "add", host, "dev", "near", *NO_DAD)
    for vip in VIPS:
        ip("address", "add", vip, "dev", "lo", *NO_DAD)
    inside, ready = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            ctypes.CDLL(None).unshare(_NEW_NETWORK)
            os.write(inside[1], b".")
            os.read(ready[0], 1)
            ip("link", "set", "far", "up")
            listening = []
            for host in (host for hosts in VIPS.values() for host in hosts):
                six = ":" in host
                ip("address", "add", f"{host}/{64 if six else 24}", "dev", "far", *NO_DAD)
                family = socket.AF_INET6 if six else socket.AF_INET
                listening.append(socket.create_server((host, SERVED), family=family))
            ip("route", "add", "default", "via", "198.51.100.1")
            ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
            os.write(inside[1], b".")
            for one in listening:
                threading.Thread(target=answer, args=(one,)).start()
            signal.pause()
        finally:
            os._exit(1)
    os.read(inside[0], 1)
    ip("link", "set", "far", "netns", str(child))
    ip("link", "set", "near", "up")
    os.write(ready[1], b".")
    os.read(inside[0], 1)
    return child


def answer(listening: socket.socket) -> None:
    while True:
        connection, _ = listening.accept()
        connection.sendall(connection.getsockname()[0].encode())
        connection.close()


class Said:
    """What the sidecar says."""

    def __init__(self, collector: Any) -> None:
        self._collector = collector
        self.lines: list[str] = []

    def until_now(self) -> None:
        """Until what there is at this time is told; both are on one clock."""
        now = time.monotonic_ns()
        while True:
            self.lines.append(self._collector.stdout.readline())
            if json.loads(self.lines[-1]).get("connections_read", {}).get("began", 0) >= now:
                return


def ask(ipvs: Ipvs, collector: Any, *, tracked: bool) -> dict[str, Any]:
    """Some connections while the list is still read, and others afterwards."""
    if tracked:
        # As in a cluster: tracked, and the real servers see another address than the client's.
        Path("/proc/sys/net/ipv4/vs/conntrack").write_text("1")
        rule = ["-t", "nat", "-A", "POSTROUTING", "-d", "198.51.100.0/24", "-j", "MASQUERADE"]
        subprocess.run(["iptables-legacy", *rule], check=True)
    services = [
        (f"tcp {join_endpoint(vip, port)}", [join_endpoint(host, port) for host in hosts])
        for vip, hosts in VIPS.items()
        if not (tracked and ":" in vip)  # the rule is for IPv4
        for port in (SERVED, REFUSED)
    ]
    for key, servers in services:
        ipvs.add_service(key, "rr")
        for server in servers:
            ipvs.add_server(key, server, 1)
    said, asked = Said(collector), []
    collector.stdin.write(f"connections :{SERVED}\n")
    for vip in (VIP, VIP if tracked else VIP6, VIP):
        with socket.create_connection((vip, SERVED), timeout=5) as one:
            asked.append([*one.getsockname()[:2], one.recv(100).decode()])
        said.until_now()
    collector.stdin.write(f"connections :{REFUSED}\n")
    said.until_now()
    refused = 0
    for _ in range(3):
        with socket.socket() as one:
            refused += one.connect_ex((VIP, REFUSED)) != 0
    said.until_now()
    collector.stdin.write("end\n")
    said.lines += collector.stdout.readlines()
    status = collector.wait()
    for key, _ in services:
        ipvs.delete_service(key)
    Path("/proc/sys/net/ipv4/vs/conntrack").write_text("0")
    return {"asked": asked, "refused": refused, "lines": said.lines, "status": status}
