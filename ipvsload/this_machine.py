"""What this machine has for making load; what needs it is in scenario/machine_limits.py."""

import os
import re
import resource
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from ipvsload.errors import TestbedError
from ipvsload.scenario.machine_limits import MachineLimits, class_peak, shortfalls, too_few_files
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.traffic import Traffic
from ipvsload.scenario.url import HttpTarget, read_url

_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_RESERVED = Path("/proc/sys/net/ipv4/ip_local_reserved_ports")
_SOCKETS = Path("/proc/net/tcp"), Path("/proc/net/tcp6")
_STATUS = Path("/proc/self/status")
_CAP_SYS_RESOURCE = 1 << 24
_USUAL_PORTS = "32768 60999"


def machine_limits(own_ports: int = 0, target: str = "") -> MachineLimits:
    """This process's limits.

    The ports are `own_ports`, or with 0 those that the kernel chooses; then those
    that are taken towards the `target`, a URL, are known. Raises UsageError where
    that is none.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    open_files = hard if hard != resource.RLIM_INFINITY else 2**63
    taken = _taken_ports(read_url(target)) if target and not own_ports else 0
    return MachineLimits(open_files, own_ports or _local_ports(), taken, _more_files())


def refuse_too_much(scenario: Scenario, own_ports: int = 0, target: str = "") -> None:
    """Raise TestbedError where this process cannot make the scenario's load."""
    found = list(shortfalls(scenario, machine_limits(own_ports, target)))
    if found:
        raise TestbedError(f"scenario {scenario.name} cannot run here: {'; '.join(found)}")


def refuse_too_many_users(traffic: Mapping[str, Traffic]) -> None:
    """Raise TestbedError where one of these classes alone is too much for this process."""
    for lacking in too_few_files(class_peak(traffic), 0, machine_limits()):
        raise TestbedError(lacking)


def _more_files() -> str:
    """What raises the hard limit: only CAP_SYS_RESOURCE may (kernel/sys.c, do_prlimit)."""
    own = re.search(r"^CapEff:\s*(\w+)", _read(_STATUS, ""), re.MULTILINE)
    if own and int(own[1], 16) & _CAP_SYS_RESOURCE:
        sudo = ""
    elif os.geteuid():
        sudo = "sudo "
    else:  # as in most containers
        return "root may not raise it here; a container gets it by `--ulimit nofile={0}:{0}`"
    return (
        f"`{sudo}prlimit --pid $$ --nofile={{0}}:{{0}}` raises it for this shell, and a line"
        " `* hard nofile {0}` in /etc/security/limits.conf for good"
    )


def _local_ports() -> int:
    """Ports that the kernel gives to connections (net/ipv4/inet_hashtables.c)."""
    low, high = map(int, _read(_PORTS, _USUAL_PORTS).split())
    reserved: set[int] = set()
    for part in _read(_RESERVED, "").split(","):
        if part:
            first, _, last = part.partition("-")
            reserved.update(range(int(first), int(last or first) + 1))
    return len(set(range(low, high + 1)) - reserved)


def _taken_ports(target: HttpTarget) -> int:
    """Local ports of connections to the target, those in TIME_WAIT among them (tcp_ipv4.c)."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError:
        return 0  # the load will say what is wrong with it
    wanted = set()
    for family, _, _, _, (host, *_) in found:
        packed = socket.inet_pton(family, str(host).partition("%")[0])
        words = struct.unpack(f"={len(packed) // 4}I", packed)
        wanted.add("".join(f"{word:08X}" for word in words) + f":{target.port:04X}")
    lines = [line.split() for table in _SOCKETS for line in _read(table, "").splitlines()]
    return len({words[1] for words in lines if len(words) > 2 and words[2] in wanted})


def _read(path: Path, otherwise: str) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return otherwise
