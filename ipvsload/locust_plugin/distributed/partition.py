"""A traffic class divided among workers: pure arithmetic, and nothing is lost in it.

Users and budgets are whole numbers and must add up to the scenario's. A budget
is divided as the users are, so that a class with ten users on three workers
(4, 3, 3) gives each user about the same share. Arrivals of an open class are
dealt out in turn: worker k of n begins with the kth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from ipvsload.scenario.model import Traffic


@dataclass(frozen=True, slots=True)
class Share:
    """One worker's part of a class, and how long after the others it begins, in seconds."""

    spec: Traffic
    delay: float = 0.0


def divide(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `total` in proportion to weights; the largest remainders round up."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda k: (-(total * weights[k] % whole), k))
    for k in order[: total - sum(parts)]:
        parts[k] += 1
    return parts


def shares(spec: Traffic, workers: int) -> list[Share | None]:
    """Each worker's share; None for one that has no part in the class."""
    if spec.rate is not None:
        return _arrivals(spec, spec.rate, workers)
    users = divide(spec.users or 0, [1] * workers)
    budgets = divide(spec.requests, users) if spec.requests is not None else [None] * workers
    return [
        Share(spec.model_copy(update={"users": count, "requests": budget}))
        if count and budget != 0
        else None
        for count, budget in zip(users, budgets, strict=True)
    ]


def shares_by_class(traffic: Mapping[str, Traffic], workers: int) -> list[dict[str, Share]]:
    """For each worker its shares by class."""
    found: list[dict[str, Share]] = [{} for _ in range(workers)]
    for name, spec in traffic.items():
        for mine, share in zip(found, shares(spec, workers), strict=True):
            if share is not None:
                mine[name] = share
    return found


def _arrivals(spec: Traffic, rate: float, workers: int) -> list[Share | None]:
    total = spec.requests
    if spec.duration is not None:
        # As Flow counts them: arrivals at n / rate, before the duration is over.
        within = ceil(round(rate * spec.duration, 6))
        total = within if total is None else min(total, within)
    found: list[Share | None] = []
    for k in range(workers):
        budget = None if total is None else (total - k + workers - 1) // workers
        update = {"rate": rate / workers, "requests": budget, "duration": None}
        found.append(Share(spec.model_copy(update=update), k / rate) if budget != 0 else None)
    return found
