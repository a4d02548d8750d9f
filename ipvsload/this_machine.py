"""What this machine has for making load; what needs it is in scenario/machine_limits.py."""

import os
import resource
from pathlib import Path

from ipvsload.errors import TestbedError
from ipvsload.scenario.machine_limits import MachineLimits, shortfalls
from ipvsload.scenario.model import Scenario

_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_RESERVED = Path("/proc/sys/net/ipv4/ip_local_reserved_ports")
_USUAL_PORTS = "32768 60999"


def machine_limits(own_ports: int = 0) -> MachineLimits:
    """This process's limits; the ports are `own_ports`, or 0 for those that the kernel chooses."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    open_files = hard if hard != resource.RLIM_INFINITY else 2**63
    sudo = "" if os.geteuid() == 0 else "sudo "
    more = f"{sudo}prlimit --pid $$ --nofile={{0}}:{{0}}"
    return MachineLimits(open_files, own_ports or _local_ports(), more)


def refuse_too_much(scenario: Scenario, own_ports: int = 0) -> None:
    """Raise TestbedError where this process cannot make the scenario's load."""
    found = list(shortfalls(scenario, machine_limits(own_ports)))
    if found:
        raise TestbedError(f"scenario {scenario.name} cannot run here: {'; '.join(found)}")


def _local_ports() -> int:
    """Ports that the kernel gives to connections (net/ipv4/inet_hashtables.c)."""
    low, high = map(int, _read(_PORTS, _USUAL_PORTS).split())
    reserved: set[int] = set()
    for part in _read(_RESERVED, "").split(","):
        if part:
            first, _, last = part.partition("-")
            reserved.update(range(int(first), int(last or first) + 1))
    return len(set(range(low, high + 1)) - reserved)


def _read(path: Path, otherwise: str) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return otherwise
