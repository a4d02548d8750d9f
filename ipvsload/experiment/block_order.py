"""In which order the columns of a block are run.

A repeat is a block: it has each column once. A machine that gets slower or warmer, or a director
that remembers the run before, would favour whoever always comes first, or always after the same
one. So each block has an order of its own, drawn at random by the scenario's seed (randomized
complete blocks: R. A. Fisher, "The Design of Experiments", 1935).
"""

from collections.abc import Sequence
from typing import TypeVar

from ipvsload.load.random_numbers import RandomNumbers

T = TypeVar("T")


def block_order(columns: Sequence[T], seed: int, repeat: int, *, alone: bool) -> list[T]:
    """The columns in the order in which block `repeat` runs them.

    One that is `alone` has the scenario's order: there is nothing that an order of chance
    would even out, and people expect to see what they wrote.
    """
    if alone:
        return list(columns)
    numbers = RandomNumbers(seed, repeat, "order")
    places = sorted(range(len(columns)), key=numbers.at)
    return [columns[place] for place in places]
