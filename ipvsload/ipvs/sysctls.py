"""The sysctls of IPVS that decide where a connection goes, or whether it is let through.

The kernel has more of them, in /proc/sys/net/ipv4/vs: those about a backup
director's synchronization, for example. They are recorded too, but nobody needs
to read them beside a figure. Sources: net/netfilter/ipvs/ip_vs_ctl.c (`vs_vars`,
ip_vs_control_net_init_sysctl) for the names and what they are by default,
Documentation/networking/ipvs-sysctl.rst for what they mean. Pure.
"""

from collections.abc import Mapping

DECIDING_SYSCTLS: Mapping[str, int] = {
    "cache_bypass": 0,
    "conn_max": 0,
    "conn_reuse_mode": 1,
    "conntrack": 0,
    "drop_entry": 0,
    "drop_packet": 0,
    "expire_nodest_conn": 0,
    "expire_quiescent_template": 0,
    "run_estimation": 1,
    "schedule_icmp": 0,
    "secure_tcp": 0,
    "sloppy_sctp": 0,
    "sloppy_tcp": 0,
}
"""By name, with the value that they have where nobody set them."""

DEFAULT_TIMEOUTS: Mapping[str, int] = {"tcp": 900, "tcp_fin": 120, "udp": 300}
"""Seconds that IPVS remembers a silent connection, as `ipvsadm --set` sets them
(ip_vs_proto_tcp.c, tcp_timeouts; ip_vs_proto_udp.c, udp_timeouts)."""

_LARGE = 2**31 - 1
_SWITCH, _DEFENCE = 1, 3
SETTABLE_SYSCTLS: Mapping[str, int] = {
    "am_droprate": _LARGE,
    "amemthresh": _LARGE,
    "cache_bypass": _SWITCH,
    "conn_max": _LARGE,
    "conn_reuse_mode": 3,
    "conntrack": _SWITCH,
    "drop_entry": _DEFENCE,
    "drop_packet": _DEFENCE,
    "expire_nodest_conn": _SWITCH,
    "expire_quiescent_template": _SWITCH,
    "ignore_tunneled": _SWITCH,
    "nat_icmp_send": _SWITCH,
    "pmtu_disc": _SWITCH,
    "schedule_icmp": _SWITCH,
    "secure_tcp": _DEFENCE,
    "sloppy_sctp": _SWITCH,
    "sloppy_tcp": _SWITCH,
    "snat_reroute": _SWITCH,
}
"""What a run may set, with the greatest value that means something.

Each is a number of one network namespace (ip_vs_ctl.c, ip_vs_control_net_init_sysctl)."""

_SYNC = "it is about the synchronization of a backup director, and a run has none"
FIXED_SYSCTLS: Mapping[str, str] = {
    "run_estimation": "without it the kernel does not refresh the counters that a run reads",
    "est_cpulist": "it is about the processors that refresh counters, and decides no connection",
    "est_nice": "it is about the threads that refresh counters, and decides no connection",
    "debug_level": "it is of the whole kernel, and decides no connection",
    "backup_only": _SYNC,
    **dict.fromkeys(
        (
            "sync_persist_mode",
            "sync_ports",
            "sync_qlen_max",
            "sync_refresh_period",
            "sync_retries",
            "sync_sock_size",
            "sync_threshold",
            "sync_version",
        ),
        _SYNC,
    ),
}
"""What a run does not set, with the reason."""
