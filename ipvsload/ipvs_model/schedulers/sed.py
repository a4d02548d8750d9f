"""Shortest expected delay."""

from typing import ClassVar

from ipvsload.ipvs_model.schedulers.least_score import LeastScore, Load


class ShortestExpectedDelay(LeastScore):
    """The least active connections for its weight, the new one counted."""

    name: ClassVar[str] = "sed"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_sed.c, ip_vs_sed_schedule"

    def load(self, active: Load, inactive: Load) -> Load:
        """As ip_vs_sed_dest_overhead: finished connections do not count."""
        return active + 1

    @staticmethod
    def load_words(active: int, inactive: int, lc_law: int) -> str:
        """The same in words."""
        return f"{active} + 1"
