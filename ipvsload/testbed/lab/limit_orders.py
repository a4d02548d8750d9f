"""A scenario's capacity as orders to the real servers' process (`server_commands/`)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ipvsload.scenario.capacity import Capacity

_AT_ONCE = 500
"""Addresses in one order, so that its line is short enough."""


def limits(
    addresses: Sequence[str], capacity: Capacity | None
) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The addresses and the arguments of each `limit`, for servers in the order of joining."""
    by_speed: dict[float, list[str]] = defaultdict(list)
    for number, address in enumerate(addresses, 1):
        by_speed[capacity.speed_of(number) if capacity else 1.0].append(address)
    common: dict[str, Any] = {}
    if capacity is not None:
        overflow = 0 if capacity.overflow == "refuse" else capacity.overflow
        common = {"workers": capacity.workers, "queue": capacity.queue, "overflow": overflow}
    for speed, same in by_speed.items():
        for first in range(0, len(same), _AT_ONCE):
            yield same[first : first + _AT_ONCE], {**common, "speed": speed}
