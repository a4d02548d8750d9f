"""ipvsadm's text: the table as it lists it, and its command lines. Pure.

People know that shape. Two things of it are not in samples and are left out
rather than made up: the version line's numbers, and the column Forward.
"""

from collections.abc import Iterable, Mapping

from ipvsload.ipvs.keys import split_key
from ipvsload.ipvs.schedulers import ONE_PACKET, PERSISTENT, flag_names
from ipvsload.ipvs.table import VirtualService

_SERVICE_OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service", "fwmark": "-f"}


def listing(tables: Mapping[str, Iterable[VirtualService]]) -> str:
    """Write the tables of these nodes as `ipvsadm -ln` does; nothing without any."""
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
    protocol, target, ipv6 = split_key(key)
    return f"ipvsadm -D {_SERVICE_OPTIONS.get(protocol, '-t')} {target}" + (" -6" if ipv6 else "")
