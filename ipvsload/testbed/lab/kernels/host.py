"""The director on this machine's own kernel, in a network namespace.

Wants real root: IPVS's netlink asks for CAP_NET_ADMIN in the initial user
namespace (net/netfilter/ipvs/ip_vs_ctl.c, GENL_ADMIN_PERM).
"""

from collections.abc import Iterator

from ipvsload.testbed.lab.kernels import base
from ipvsload.testbed.lab.topology import CABLES


class HostKernel(base.KernelProvider):
    """Whether it has IPVS, and this user the right to it, the agent finds out by trying."""

    name = "host"
    rank = 10
    mend = "only where this machine's kernel has IPVS: sudo modprobe ip_vs, and run as root"
    # Its processors work at the same time.
    packet_order_us = 100

    def missing(self) -> str | None:
        """Nothing that could be known before."""
        return None

    def attempts(self, place: base.Place) -> Iterator[base.Attempt]:
        """The agent alone, on the near ends of the cables."""
        links = [cable.near for cable in CABLES]
        yield base.Attempt(self.name, *base.agent(place, links))
