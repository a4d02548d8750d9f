"""How even mh's table is by the number of servers, and whose clients move when one leaves.

Run as `python -m benchmarks.maglev [SERVERS...]`. Nothing is measured: the table follows from the
servers' addresses, here of equal weight. A share is a server's part of the table over an even one;
"moved" are clients of servers that stay who get another server when one leaves, the median over
some that do.
"""

import statistics
import sys
from collections import Counter

from ipvsload.ipvs_model.schedulers.base import RuleSettings
from ipvsload.ipvs_model.schedulers.mh import SLOTS, MaglevHashing
from ipvsload.ipvs_model.server_list import ServerList

SERVERS = (2, 3, 5, 10, 20, 40, 41, 100, 400, 1_000, 2_000, 4_093, 10_000)
_LEAVE = 5


def main() -> None:
    """Print a line for each number of servers."""
    print(f"mh, {SLOTS} slots, servers of weight 1")
    print(f"{'servers':>8} {'slots':>10} {'share':>14} {'without':>8} {'moved':>7}")
    for servers in [int(word) for word in sys.argv[1:]] or SERVERS:
        rule = _filled(servers)
        table = rule.table()
        held = Counter(table)
        slots = [held[number] for number in range(servers)]
        least, most = min(slots), max(slots)
        shares = " to ".join(f"{one * servers / SLOTS:.3f}" for one in (least, most))
        moved = f"{_moved(servers, table):7.3f}" if servers <= SLOTS else f"{'-':>7}"
        print(f"{servers:8} {f'{least}-{most}':>10} {shares:>14} {slots.count(0):8} {moved}")


def _filled(servers: int, without: int | None = None) -> MaglevHashing:
    rule = MaglevHashing(ServerList(), RuleSettings("192.0.2.80"))
    for number in range(servers):
        rule.servers.join(f"198.51.{100 + number // 250}.{1 + number % 250}:80", 1)
        rule.changed()
    if without is not None:
        rule.servers.leave(without)
        rule.changed()
    return rule


def _moved(servers: int, before: tuple[int, ...]) -> float:
    shares = []
    for gone in range(0, servers, -(-servers // _LEAVE)):
        pairs = zip(before, _filled(servers, gone).table(), strict=False)
        staying = [old == new for old, new in pairs if old != gone]
        shares.append(staying.count(False) / max(1, len(staying)))
    return statistics.median(shares)


if __name__ == "__main__":
    main()
