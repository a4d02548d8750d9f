"""Requests that were lost because their server left: removed, drained or killed.

A server is away from the last sample in which it had weight until the first in which it has some
again, and from the moment when its process was killed until it is there again. A request is lost
that failed, that the director had given to the server, and that was under way while it was away.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from ipvsload.record.events import ServerCondition
from ipvsload.record.request_table import RequestTable
from ipvsload.record.row_groups import row_groups
from ipvsload.results.weight_course import WeightCourse
from ipvsload.scenario.server_conditions import KILLED

Absences = dict[str, list[tuple[float, float]]]
"""From when to when servers were away, in µs, by address."""


def absences(course: WeightCourse, conditions: Iterable[ServerCondition]) -> Absences:
    """When servers that were there before were away; without end where they did not return."""
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    there: set[str] = set()
    away: dict[str, float] = {}
    for epoch in course.epochs:
        now = {address for address, weight in epoch.weights.items() if weight}
        for address in now & away.keys():
            found[address].append((away.pop(address), epoch.t_us))
        away |= dict.fromkeys(there - now, epoch.before_us)
        there = now
    killed: dict[str, float] = {}
    for event in conditions:
        if KILLED in event.words.split(", "):
            killed.setdefault(event.server, event.t_us)
        elif event.server in killed:
            found[event.server].append((killed.pop(event.server), event.t_us))
    for gone in (away, killed):
        for address, since in gone.items():
            found[address].append((since, math.inf))
    return dict(found)


def lost_requests(requests: RequestTable, away: Absences) -> Counter[tuple[str, str]]:
    """How many requests were lost, by class and address."""
    lost: Counter[tuple[str, str]] = Counter()
    texts = requests.texts
    columns = ("traffic", "server", "planned_us", "start_us", "latency_us", "error", "status")
    for block in requests.blocks(*columns) if away else ():
        failed = block.where(block.failed)
        for (traffic, at), rows in row_groups(failed.traffic, failed.server):
            name, server = texts[traffic] or "", texts[at] or ""
            start_us, end_us = failed.start_us[rows], failed.end_us[rows]
            hit = np.zeros(len(rows), bool)
            for gone, back in away.get(server, ()):
                hit |= (start_us <= back) & (end_us >= gone)
            if hit.any():
                lost[name, server] += int(hit.sum())
    return lost
