"""Balancing without IPVS on every director of a lab, as the agent is asked for it."""

from collections.abc import Sequence
from typing import Any

from ipvsload.netfilter.nat_services import CHANGES, LOOK_UP, NatServices
from ipvsload.testbed.lab.hosted_directors import HostedDirector


class NatDirectors:
    """The same services in the namespace of each director."""

    def __init__(self, directors: Sequence[HostedDirector]) -> None:
        self._directors = [(director, NatServices()) for director in directors]

    def change(self, change: str, **arguments: Any) -> Any:
        """Make the change everywhere; the answer of the first, or what any of them found.

        Raises ValueError for what is no change, and what the change raises.
        """
        if change not in CHANGES:
            raise ValueError(f"unknown change {change!r}")
        answers = []
        for director, services in self._directors:
            with director:
                answers.append(getattr(services, change)(**arguments))
        if change == LOOK_UP:  # a client's port is known to one of them only
            return [next(filter(None, found), None) for found in zip(*answers, strict=True)]
        return answers[0]
