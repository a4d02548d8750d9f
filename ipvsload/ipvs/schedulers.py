"""The schedulers of IPVS: the only list of them; all others are derived from it.

A new scheduler is one more row. Messages, choices and reports keep this order.
Sources: net/netfilter/ipvs/Kconfig for the option and the kernel that
brought it, `ip_vs_NAME.c` for the rule, include/uapi/linux/ip_vs.h for flags.
"""

from typing import NamedTuple

PERSISTENT, ONE_PACKET = 0x1, 0x4  # IP_VS_SVC_F_*
_FLAGS = (0x8, 0x10, 0x20)
"""IP_VS_SVC_F_SCHED1 to 3: each scheduler gives them its own meaning."""


class Scheduler(NamedTuple):
    """One scheduler; `flags` are names and bits of a service's flags that it knows."""

    name: str
    why: str
    """What it is good for, in a few words."""
    since: tuple[int, int] = (2, 6)
    """The first kernel that has it."""
    flags: tuple[tuple[str, int], ...] = ()
    hashes: bool = False
    """A hash of addresses chooses, and a server of weight 0 keeps its place in the table."""

    @property
    def module(self) -> str:
        """The kernel module, as modprobe takes it."""
        return module_of(self.name)

    @property
    def option(self) -> str:
        """The option of the kernel's configuration, without CONFIG_."""
        return f"IP_VS_{self.name.upper()}"


def module_of(name: str) -> str:
    """The module that the kernel loads for a scheduler, known here or not (ip_vs_sched.c)."""
    return f"ip_vs_{name}"


SCHEDULERS: dict[str, Scheduler] = {
    scheduler.name: scheduler
    for scheduler in (
        Scheduler("rr", "kube-proxy's default; it falls back to iptables or exits without"),
        Scheduler("wrr", "weighted turns"),
        Scheduler("lc", "least connections"),
        Scheduler("wlc", "weighted least connections; ipvsadm's and keepalived's default"),
        Scheduler("lblc", "least connections, the same server for an address"),
        Scheduler("lblcr", "the same, with a set of servers for an address"),
        Scheduler("dh", "hash of the destination", hashes=True),
        Scheduler(
            "sh",
            "hash of the source: the same client, the same server",
            flags=(("sh-fallback", 0x8), ("sh-port", 0x10)),
            hashes=True,
        ),
        Scheduler("sed", "shortest expected delay"),
        Scheduler("nq", "never queue: an idle server first"),
        Scheduler("fo", "failover by weight", since=(3, 18)),
        Scheduler("ovf", "overflow by weight", since=(4, 3)),
        Scheduler(
            "mh",
            "Maglev hashing: sh whose clients stay when servers come and go",
            since=(4, 18),
            flags=(("mh-fallback", 0x8), ("mh-port", 0x10)),
            hashes=True,
        ),
        Scheduler("twos", "the better of two random draws", since=(5, 10)),
    )
}


def refuses_weight_0(name: str, flags: int) -> bool:
    """Whether the choice may fall on a server of weight 0, so that a client gets none at all.

    It does where a hash chooses and no flag has it fall back on another server
    (ip_vs_dh.c, ip_vs_dh_schedule; ip_vs_sh.c, ip_vs_sh_get; ip_vs_mh.c, ip_vs_mh_get).
    """
    scheduler = SCHEDULERS.get(name)
    if scheduler is None or not scheduler.hashes:
        return False
    return not any(flags & bit for flag, bit in scheduler.flags if flag.endswith("-fallback"))


def flag_names(name: str, flags: int) -> list[str]:
    """The scheduler's flags that are set in a service's `flags`, as ipvsadm names them."""
    known = {bit: flag for flag, bit in SCHEDULERS[name].flags} if name in SCHEDULERS else {}
    return [known.get(bit, f"flag-{number}") for number, bit in enumerate(_FLAGS, 1) if flags & bit]
