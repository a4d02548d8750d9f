"""The schedulers of IPVS: the only list of them; all others are derived from it.

A new scheduler is one more row. Messages, choices and reports keep this order.
Sources: net/netfilter/ipvs/Kconfig for the option and the kernel that
brought it, `ip_vs_NAME.c` for the rule, include/uapi/linux/ip_vs.h for flags.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

PERSISTENT, ONE_PACKET = 0x1, 0x4  # IP_VS_SVC_F_*
FLAG_BITS = (0x8, 0x10, 0x20)
"""IP_VS_SVC_F_SCHED1 to 3: each scheduler gives them its own meaning."""


Choice = Literal["turns", "load", "idle", "weight", "client", "destination", "chance"]
"""What a scheduler chooses by: turns; how many connections each server has; the same, but in a
way that servers without any are equal; weights alone; the address of the client; that of the
service; chance."""


class Scheduler(NamedTuple):
    """One scheduler; `flags` are names and bits of a service's flags that it knows."""

    name: str
    why: str
    """What it is good for, in a few words."""
    since: tuple[int, int] = (2, 6)
    """The first kernel that has it."""
    flags: tuple[tuple[str, int], ...] = ()
    choice: Choice = "load"
    """What it chooses by."""
    rule: str = ""
    """Its rule in a few words, and where the kernel has it."""
    hashes: bool = False
    """A hash of addresses chooses, and a server of weight 0 keeps its place in the table."""
    capacity: bool = False
    """A server's weight is how many active connections it takes; where all are full, none does."""
    counts_finished: bool = False
    """It compares ip_vs_dest_conn_overhead (include/net/ip_vs.h), in which finished connections
    count too, in newer kernels otherwise than in older ones."""

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
        Scheduler(
            "rr",
            "kube-proxy's default; it falls back to iptables or exits without",
            choice="turns",
            rule="the next server whose weight is not 0 (ip_vs_rr.c, ip_vs_rr_schedule)",
        ),
        Scheduler(
            "wrr",
            "weighted turns",
            choice="turns",
            rule="turns, in proportion to the weights (ip_vs_wrr.c, ip_vs_wrr_schedule)",
        ),
        Scheduler(
            "lc",
            "least connections",
            rule="the fewest connections, of which an active one counts 256 times an inactive one"
            " (ip_vs_lc.c, ip_vs_lc_schedule)",
            counts_finished=True,
        ),
        Scheduler(
            "wlc",
            "weighted least connections; ipvsadm's and keepalived's default",
            rule="as lc, divided by the weight (ip_vs_wlc.c, ip_vs_wlc_schedule)",
            counts_finished=True,
        ),
        Scheduler(
            "lblc",
            "least connections, the same server for an address",
            choice="destination",
            rule="the server that the destination address had before, until it has more active"
            " connections than its weight and another has less than half of that"
            " (ip_vs_lblc.c, ip_vs_lblc_schedule, is_overloaded)",
            counts_finished=True,
        ),
        Scheduler(
            "lblcr",
            "the same, with a set of servers for an address",
            choice="destination",
            rule="the least loaded of the destination address's set of servers, which grows as"
            " lblc moves on (ip_vs_lblcr.c, ip_vs_lblcr_schedule, is_overloaded)",
            counts_finished=True,
        ),
        Scheduler(
            "dh",
            "hash of the destination",
            choice="destination",
            rule="a hash of the destination address (ip_vs_dh.c, ip_vs_dh_schedule)",
            hashes=True,
        ),
        Scheduler(
            "sh",
            "hash of the source: the same client, the same server",
            flags=(("sh-fallback", 0x8), ("sh-port", 0x10)),
            choice="client",
            rule="a hash of the client's address (ip_vs_sh.c, ip_vs_sh_schedule)",
            hashes=True,
        ),
        Scheduler(
            "sed",
            "shortest expected delay",
            choice="idle",
            rule="the least (active + 1) / weight, of equals the server that was added last"
            " (ip_vs_sed.c, ip_vs_sed_schedule)",
        ),
        Scheduler(
            "nq",
            "never queue: an idle server first",
            choice="idle",
            rule="of the servers without an active connection the one that was added last, else as"
            " sed (ip_vs_nq.c, ip_vs_nq_schedule)",
        ),
        Scheduler(
            "fo",
            "failover by weight",
            since=(3, 18),
            choice="weight",
            rule="the highest weight, of equals the server that was added last"
            " (ip_vs_fo.c, ip_vs_fo_schedule)",
        ),
        Scheduler(
            "ovf",
            "overflow by weight",
            since=(4, 3),
            choice="weight",
            rule="the highest weight among servers that have no more active connections than their"
            " weight (ip_vs_ovf.c, ip_vs_ovf_schedule)",
            capacity=True,
        ),
        Scheduler(
            "mh",
            "Maglev hashing: sh whose clients stay when servers come and go",
            since=(4, 18),
            flags=(("mh-fallback", 0x8), ("mh-port", 0x10)),
            choice="client",
            rule="Maglev's hash of the client's address (ip_vs_mh.c, ip_vs_mh_schedule)",
            hashes=True,
        ),
        Scheduler(
            "twos",
            "the better of two random draws",
            since=(5, 10),
            choice="chance",
            rule="two draws by weight, and of them the one with fewer connections for its weight"
            " (ip_vs_twos.c, ip_vs_twos_schedule)",
            counts_finished=True,
        ),
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


def flag_bits(name: str, flags: Iterable[str]) -> int:
    """The bits of a service's flags for these of the scheduler's. Raises KeyError."""
    return sum(dict(SCHEDULERS[name].flags)[flag] for flag in set(flags))


def flag_names(name: str, flags: int) -> list[str]:
    """The scheduler's flags that are set in a service's `flags`, as ipvsadm names them."""
    known = {bit: flag for flag, bit in SCHEDULERS[name].flags} if name in SCHEDULERS else {}
    return [
        known.get(bit, f"flag-{number}") for number, bit in enumerate(FLAG_BITS, 1) if flags & bit
    ]
