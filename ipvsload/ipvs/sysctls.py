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
