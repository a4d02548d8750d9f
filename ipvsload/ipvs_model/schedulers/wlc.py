"""Weighted least connections."""

from typing import ClassVar

from ipvsload.ipvs_model.schedulers.least_score import LeastScore, Load


class WeightedLeastConnections(LeastScore):
    """The least overhead for its weight."""

    name: ClassVar[str] = "wlc"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_wlc.c, ip_vs_wlc_schedule"

    def load(self, active: Load, inactive: Load) -> Load:
        """As include/net/ip_vs.h, ip_vs_dest_conn_overhead."""
        return active * self.settings.lc_law + inactive

    @staticmethod
    def load_words(active: int, inactive: int, lc_law: int) -> str:
        """The same in words."""
        return f"{lc_law}·{active} + {inactive}"
