"""The sidecar of a lab: one process for the tables of all its directors."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ipvsload.ipvs.client import Ipvs
from ipvsload.sidecar.balanced_services import BalancedServices
from ipvsload.sidecar.collector import collect_until_stopped
from ipvsload.sidecar.sampled_node import SampledNode
from ipvsload.sidecar.settings_watch import SettingsWatch
from ipvsload.testbed.lab.hosted_directors import HostedDirector


def collect(directors: Sequence[HostedDirector], hz: float) -> None:
    """Write `hz` samples a second of each to stdout, until stdin says `end` or nobody reads."""
    collect_until_stopped([_sampled(one) for one in directors], hz=hz)


def _sampled(director: HostedDirector) -> SampledNode:
    with director:
        ipvs = Ipvs()  # a socket of its own: the agent goes on using the other
    table = BalancedServices(ipvs, director)
    watch = SettingsWatch(ipvs.timeouts, table.settings)
    facts, news = (partial(_told, director, tell) for tell in (watch, watch.anew))
    return SampledNode(director.name, table, facts, news, director, table.by_rules, ipvs.timeouts)


def _told(
    director: HostedDirector, tell: Callable[[], Iterable[dict[str, Any]]]
) -> list[dict[str, Any]]:
    with director:
        return list(tell())
