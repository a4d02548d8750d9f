"""What a test of ranks says: how probable what was found is by chance, to either side."""

from typing import NamedTuple


class RankTest(NamedTuple):
    """How probable such values are by chance, if nothing differs.

    `greater` is that of values so great or greater, `less` of values so small or smaller, and
    `least_p` the least that `p` could be of so many. `ties` says whether some ranks were shared,
    or differences were 0, and `exact` that it is no normal limit.
    """

    greater: float
    less: float
    least_p: float
    ties: bool
    exact: bool

    @property
    def p(self) -> float:
        """That of values so far off, to either side."""
        return min(1.0, 2 * min(self.greater, self.less))
