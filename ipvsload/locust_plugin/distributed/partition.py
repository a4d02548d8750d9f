"""Divides a traffic class among workers, so that the parts add up to the whole. Pure.

Users and budgets are whole numbers and must add up to the scenario's. A budget
is divided as the users are, so that a class with ten users on three workers
(4, 3, 3) gives each user about the same share. The requests of a class have
numbers, by which their work is drawn, and each number is one worker's: of a
budget that is divided, a worker has as many numbers in a row as it may send; of
arrivals, and where there is no budget, worker k of n has every nth from k on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ipvsload.scenario.model import Traffic


@dataclass(frozen=True, slots=True)
class Share:
    """One worker's part of a class; its requests have every `step`th number from `first` on."""

    spec: Traffic
    first: int = 0
    step: int = 1

    def spec_to_json(self) -> dict[str, Any]:
        """What `Traffic(**...)` makes the spec of again on the worker."""
        # Only what was given: a class with a rate must not have a `think`, not even 0.
        return self.spec.model_dump(exclude_unset=True)


def divide(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` into whole parts in proportion to weights; the largest remainders round up."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda k: (-(total * weights[k] % whole), k))
    for k in order[: total - sum(parts)]:
        parts[k] += 1
    return parts


def shares(spec: Traffic, workers: int) -> list[Share | None]:
    """Return each worker's share; None for one that has no part in the class."""
    if spec.open:
        return [
            Share(spec, first, workers) if spec.requests is None or first < spec.requests else None
            for first in range(workers)
        ]
    if spec.user_stages:
        parts = min(workers, spec.most_users)
        return [_every_nth_user(spec, first, parts) for first in range(workers)]
    users = divide(spec.most_users, [1] * workers)
    if spec.requests is None:
        return [
            Share(spec.model_copy(update={"users": count}), first, workers) if count else None
            for first, count in enumerate(users)
        ]
    budgets = divide(spec.requests, users)
    return [
        Share(spec.model_copy(update={"users": count, "requests": budget}), first)
        if count and budget
        else None
        for count, budget, first in zip(
            users, budgets, accumulate(budgets, initial=0), strict=False
        )
    ]


def _every_nth_user(spec: Traffic, first: int, step: int) -> Share | None:
    """A share of users whose number changes: their stages stay whole, a budget does not."""
    if spec.requests is not None:
        budget = len(range(first, spec.requests, step))
        spec = spec.model_copy(update={"requests": budget})
    return Share(spec, first, step) if first < step and spec.requests != 0 else None


def shares_by_class(traffic: Mapping[str, Traffic], workers: int) -> list[dict[str, Share]]:
    """Return for each worker its shares by class."""
    found: list[dict[str, Share]] = [{} for _ in range(workers)]
    for name, spec in traffic.items():
        for mine, share in zip(found, shares(spec, workers), strict=True):
            if share is not None:
                mine[name] = share
    return found
