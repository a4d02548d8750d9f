"""Never queue."""

from typing import ClassVar

from ipvsload.ipvs_model.schedulers.least_score import LeastScore, Load


class NeverQueue(LeastScore):
    """The first server without an active connection, else as sed."""

    name: ClassVar[str] = "nq"
    source: ClassVar[str] = "net/netfilter/ipvs/ip_vs_nq.c, ip_vs_nq_schedule"

    def load(self, active: Load, inactive: Load) -> Load:
        """As ip_vs_nq_dest_overhead; an idle server has no load, so its weight does not count."""
        return (active + 1) * (active > 0)

    @staticmethod
    def load_words(active: int, inactive: int, lc_law: int) -> str:
        """The same in words."""
        return f"{active} + 1" if active else ""
