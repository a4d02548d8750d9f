"""Whole numbers of millions of requests, four bytes each, by what they belong to."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

_Group = TypeVar("_Group", bound=Hashable)
_AT_ONCE = 1 << 16


class OrderedValues(Sequence[int]):
    """An array of ascending whole numbers as a sequence of Python's."""

    def __init__(self, ordered: NDArray[Any]) -> None:
        self.array = ordered

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> list[int]: ...
    def __getitem__(self, place: int | slice) -> int | list[int]:
        """The value at this place."""
        found: int | list[int] = self.array[place].tolist()
        return found

    def __iter__(self) -> Iterator[int]:
        begins = range(0, len(self.array), _AT_ONCE)
        return chain.from_iterable(self.array[at : at + _AT_ONCE].tolist() for at in begins)


_NONE = OrderedValues(np.empty(0, np.int32))


class ValuesByGroup(Generic[_Group]):
    """The values of each group, that come in pieces, in their order and ascending.

    `most` says how many each group has at most. Where it is None, `pieces` gives them twice, the
    first time to know that: what grows leaves holes in memory as large as itself. Values take
    eight bytes each in a group where one does not fit into four.
    """

    def __init__(
        self,
        pieces: Callable[[], Iterable[tuple[_Group, NDArray[Any]]]],
        most: Mapping[_Group, int] | None = None,
    ) -> None:
        room = dict(_counted(pieces()) if most is None else most)
        filled = dict.fromkeys(room, 0)
        found: dict[_Group, NDArray[Any]] = {}
        for group, values in pieces():
            if group not in found:
                found[group] = np.empty(room[group], np.int32)
            if not _fit(values):
                found[group] = found[group].astype(np.int64)
            begin = filled[group]
            filled[group] = begin + len(values)
            found[group][begin : filled[group]] = values
        self._found = {group: array[: filled[group]] for group, array in found.items()}
        self._ordered: dict[_Group, OrderedValues] = {}
        self._last: tuple[tuple[_Group, ...], OrderedValues] = (), _NONE

    @property
    def groups(self) -> list[_Group]:
        """Those of which there are values, in the order in which they came."""
        return list(self._found)

    def as_they_came(self, group: _Group) -> NDArray[Any]:
        """A group's values, until `of` has ordered them."""
        return self._found.get(group, _NONE.array)

    def of(self, group: _Group) -> OrderedValues:
        """A group's values, ascending."""
        if group not in self._found:
            return _NONE
        if group not in self._ordered:
            self._found[group].sort()
            self._ordered[group] = OrderedValues(self._found[group])
        return self._ordered[group]

    def together(self, belongs: Callable[[_Group], bool]) -> OrderedValues:
        """The values of all groups that belong together, ascending.

        What was asked for last is kept, and no more: of ten million it is forty megabytes.
        """
        groups = tuple(group for group in self._found if belongs(group))
        if len(groups) < 2:
            return self.of(groups[0]) if groups else _NONE
        if groups != self._last[0]:
            self._last = (), _NONE  # which makes room
            together = np.concatenate([self.of(group).array for group in groups])
            together.sort()
            self._last = groups, OrderedValues(together)
        return self._last[1]


def _counted(pieces: Iterable[tuple[_Group, NDArray[Any]]]) -> dict[_Group, int]:
    found: dict[_Group, int] = {}
    for group, values in pieces:
        found[group] = found.get(group, 0) + len(values)
    return found


def _fit(values: NDArray[Any]) -> bool:
    """Whether each fits into four bytes."""
    four = np.iinfo(np.int32)
    return not len(values) or four.min <= int(values.min()) <= int(values.max()) <= four.max
