"""ipvsadm's text: the table as it lists it, and its command lines. Pure.

People know that shape. Two things of it are not in samples and are left out
rather than made up: the version line's numbers, and the column Forward.
"""

import socket
import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ipvsload.ipvs.forwarding import NUMBERS
from ipvsload.ipvs.keys import split_key
from ipvsload.ipvs.saved_services import SavedServer, SavedService
from ipvsload.ipvs.schedulers import ONE_PACKET, PERSISTENT, flag_names
from ipvsload.ipvs.table import VirtualService

_FORWARD_OPTIONS = {NUMBERS["masq"]: "-m", NUMBERS["tunnel"]: "-i"}
_TUNNELS = ("ipip", "gue", "gre")
_CHECKSUMS = ("--tun-nocsum", "--tun-csum", "--tun-remcsum")
_EVERY_BIT = 0xFFFFFFFF
_SERVICE_OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service", "fwmark": "-f"}


def listing(
    tables: Mapping[str, Iterable[VirtualService]], marks: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Write the tables of these nodes as `ipvsadm -ln` does; nothing without any.

    `marks` has words by a real server's address, which stand behind its line, or none.
    """
    lines: list[str] = []
    for node, services in sorted(tables.items()):
        if lines:
            lines.append("")
        lines.append("IP Virtual Server" + (f" on {node}" if len(tables) > 1 else ""))
        lines.append("Prot LocalAddress:Port Scheduler Flags")
        lines.append(f"  -> {'RemoteAddress:Port':<28} Weight ActiveConn InActConn")
        for service in services:
            lines.append(_service(service))
            lines += [
                f"  -> {one.address:<28} {one.weight:<6} {one.active:<10} {one.inactive}"
                + (f"  {marks[one.address]}" if marks.get(one.address) else "")
                for one in service.servers
            ]
    return "".join(f"{line}\n" for line in lines)


def _service(service: VirtualService) -> str:
    protocol, target, ipv6 = split_key(service.key)
    words = ["FWM " if protocol == "fwmark" else protocol.upper().ljust(4), target]
    if ipv6:
        words.append("IPv6")
    words.append(service.scheduler)
    if flags := flag_names(service.scheduler, service.flags):
        words.append(f"({','.join(flags)})")
    if service.flags & PERSISTENT:
        words.append(f"persistent {service.persistent_timeout}")
    if service.flags & ONE_PACKET:
        words.append("ops")
    return " ".join(words)


def removal(key: str) -> str:
    """The command that takes a virtual service out of the table."""
    return f"ipvsadm -D {_named(key)}"


def restoring(services: Iterable[SavedService]) -> str:
    """What `ipvsadm -R` takes on its standard input to put these services back."""
    lines: list[str] = []
    for service in services:
        name = _named(service.key)
        lines.append(f"-A {name} -s {service.scheduler}{_properties(service)}")
        lines += [f"-a {name} -r {one.address} {_forwarded(one)}" for one in service.servers]
    return "".join(f"{line}\n" for line in lines)


def _named(key: str) -> str:
    protocol, target, ipv6 = split_key(key)
    return f"{_SERVICE_OPTIONS.get(protocol, '-t')} {target}" + (" -6" if ipv6 else "")


def _properties(service: SavedService) -> str:
    words = []
    if service.persistent:
        # Without a number it is ipvsadm's own 300 s.
        words.append(f"-p {service.persistent_timeout}" if service.persistent_timeout else "-p")
        six = split_key(service.key).ipv6 or "[" in service.key
        if six and service.netmask != 128:
            words.append(f"-M {service.netmask}")
        elif not six and service.netmask != _EVERY_BIT:
            words.append(f"-M {socket.inet_ntoa(struct.pack('=I', service.netmask))}")
    if service.flags & ONE_PACKET:
        words.append("--ops")
    if flags := flag_names(service.scheduler, service.flags):
        words.append(f"-b {','.join(flags)}")
    if service.engine:
        words.append(f"--pe {service.engine}")
    return "".join(f" {word}" for word in words)


def _forwarded(server: SavedServer) -> str:
    words = [_FORWARD_OPTIONS.get(server.forward, "-g"), f"-w {server.weight}"]
    if server.upper or server.lower:
        words.append(f"-x {server.upper} -y {server.lower}")
    if server.tunnel_type:
        words.append(f"--tun-type {_TUNNELS[server.tunnel_type]}")
        if server.tunnel_port:
            words.append(f"--tun-port {server.tunnel_port}")
        words.append(_CHECKSUMS[server.tunnel_flags])
    return " ".join(words)
