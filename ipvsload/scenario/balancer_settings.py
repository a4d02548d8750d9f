"""What is set beside a balancer: of its virtual service, and of its director.

A plain value, for testbeds: they do it. What stands in a scenario file is a
`Variant` (variant.py), which has checked it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BalancerSettings:
    """Settings of one run; the default is a kernel's own.

    `flags` are the scheduler's, by ipvsadm's names. `persistence` is in seconds,
    0 where the service is not persistent; `netmask` is how many leading bits of a
    client's address count for it, None for all of them. `sysctls` are those of
    /proc/sys/net/ipv4/vs. `timeouts` are IPVS's, in seconds, by the names of
    records: "tcp" and "tcp_fin".
    """

    flags: tuple[str, ...] = ()
    persistence: int = 0
    netmask: int | None = None
    sysctls: Mapping[str, int] = field(default_factory=dict)
    timeouts: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is set."""
        return bool(self.flags or self.persistence or self.sysctls or self.timeouts)
