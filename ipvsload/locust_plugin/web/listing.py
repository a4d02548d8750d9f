"""The kernel's table as `ipvsadm -ln` prints it, out of samples.

People know that shape. Two things of it are not in samples and are left out
rather than made up: the version line's numbers, and the column Forward.
"""

from collections.abc import Iterable

from ipvsload.ipvs.schedulers import flag_names
from ipvsload.ipvs.table import VirtualService
from ipvsload.record.format import Sample

# IP_VS_SVC_F_* of linux/ip_vs.h
_PERSISTENT = 0x1
_ONE_PACKET = 0x4


def listing(samples: Iterable[Sample]) -> str:
    """The tables of these samples, one a node; empty without samples."""
    samples = sorted(samples, key=lambda sample: sample.node)
    lines: list[str] = []
    for sample in samples:
        if lines:
            lines.append("")
        lines.append("IP Virtual Server" + (f" on {sample.node}" if len(samples) > 1 else ""))
        lines.append("Prot LocalAddress:Port Scheduler Flags")
        lines.append(f"  -> {'RemoteAddress:Port':<28} Weight ActiveConn InActConn")
        for service in sample.services:
            lines.append(_service(service))
            lines += [
                f"  -> {one.address:<28} {one.weight:<6} {one.active:<10} {one.inactive}"
                for one in service.servers
            ]
    return "".join(f"{line}\n" for line in lines)


def _service(service: VirtualService) -> str:
    kind, _, name = service.key.partition(" ")
    words = ["FWM " if kind == "fwmark" else kind.upper().ljust(4), name.replace(" v6", " IPv6")]
    words.append(service.scheduler)
    flags = flag_names(service.scheduler, service.flags)
    if flags:
        words.append(f"({','.join(flags)})")
    if service.flags & _PERSISTENT:
        words.append(f"persistent {service.persistent_timeout}")
    if service.flags & _ONE_PACKET:
        words.append("ops")
    return " ".join(words)
