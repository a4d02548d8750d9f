"""A director's services, whoever balances them: IPVS, or rules of iptables and nftables."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from ipvsload.ipvs.decode import InterruptedDumpError, TableRows
from ipvsload.netfilter.conntrack_settings import read_conntrack_settings
from ipvsload.netfilter.used_rules import iptables_are_used, nftables_may_be_used

if TYPE_CHECKING:  # it wants pyroute2, and who runs this says what is missing without it
    from ipvsload.ipvs.client import Ipvs
    from ipvsload.netfilter.nat_table import NatTable


class BalancedServices:
    """IPVS's table and what stands in its place; `version` is that of IPVS.

    While `inside` is entered, this process is in the network namespace of `ipvs`.
    """

    def __init__(self, ipvs: "Ipvs", inside: AbstractContextManager[object] | None = None) -> None:
        self._ipvs = ipvs
        self._inside = inside or nullcontext()
        self._nat: NatTable | None = None
        self._has_nat = False
        self.version = ipvs.version

    def table(self) -> TableRows:
        """All services. Raises InterruptedDumpError where one of the tables kept changing."""
        table = self._ipvs.table()
        try:
            with self._inside:
                others = self._others()
        except OSError as error:  # such as a table of rules that was being exchanged
            raise InterruptedDumpError(str(error)) from error
        self._has_nat = bool(others)
        return table + others

    def _others(self) -> TableRows:
        if self._nat is None:
            if not (iptables_are_used() or nftables_may_be_used()):
                return []
            from ipvsload.netfilter.nat_table import NatTable

            self._nat = NatTable()
        return self._nat.table()

    def by_rules(self) -> bool:
        """Whether rules balance some, as it was read last."""
        return self._has_nat

    def settings(self) -> dict[str, int | str]:
        """How connections are tracked, while a service depends on that."""
        return read_conntrack_settings() if self._has_nat else {}
