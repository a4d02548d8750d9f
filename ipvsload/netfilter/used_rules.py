"""Whether anybody has used rules of iptables or nftables in this network namespace yet.

Reading them is several modules, which a sidecar imports only then: in user-mode Linux that takes
as long as all the rest of its start.
"""

import os

IPTABLES_TABLES = "/proc/net/ip_tables_names"
"""The tables of iptables that were used; asking for another one would make it."""
NFTABLES_MODULE = "/sys/module/nf_tables"
NAT = "nat"


def iptables_are_used() -> bool:
    """Whether there is a nat table of iptables."""
    try:
        with open(IPTABLES_TABLES) as file:
            return NAT in file.read().split()
    except FileNotFoundError:
        return False


def nftables_may_be_used() -> bool:
    """Whether the kernel has nftables loaded, which asking would do."""
    return os.path.exists(NFTABLES_MODULE)
