"""Least connections."""

from typing import ClassVar

from ipvsload.ipvs_model.schedulers.least_score import LeastScore, Load


class LeastConnections(LeastScore):
    """The least overhead, whatever the weight, if it is not 0."""

    name: ClassVar[str] = "lc"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_lc.c, ip_vs_lc_schedule"
    weighted: ClassVar[bool] = False

    def load(self, active: Load, inactive: Load) -> Load:
        """As include/net/ip_vs.h, ip_vs_dest_conn_overhead."""
        return active * self.settings.lc_law + inactive

    @staticmethod
    def load_words(active: int, inactive: int, lc_law: int) -> str:
        """The same in words."""
        return f"{lc_law}·{active} + {inactive}"
