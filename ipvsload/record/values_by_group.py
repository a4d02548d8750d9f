"""Whole numbers of millions of requests, four bytes each, by what they belong to."""

from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
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
        for begin in range(0, len(self.array), _AT_ONCE):
            yield from self.array[begin : begin + _AT_ONCE].tolist()


_NONE = OrderedValues(np.empty(0, np.int32))


class ValuesByGroup(Generic[_Group]):
    """Values are added by group, and then asked for in ascending order.

    They are exact, and take eight bytes each in a group where one does not fit into four.
    """

    def __init__(self) -> None:
        self._found: dict[_Group, array[int]] = {}
        self._ordered: dict[_Group, OrderedValues] = {}
        self._last: tuple[tuple[_Group, ...], OrderedValues] = (), _NONE

    def add(self, group: _Group, values: NDArray[Any]) -> None:
        """More values of a group; none may be added after the first were asked for."""
        found = self._found.setdefault(group, array("i"))
        fits = np.iinfo(found.typecode)
        if len(values) and not fits.min <= int(values.min()) <= int(values.max()) <= fits.max:
            found = self._found[group] = array("q", found)
        found.frombytes(values.astype(found.typecode).tobytes())

    @property
    def groups(self) -> list[_Group]:
        """Those of which there are values, in the order in which they came."""
        return list(self._found)

    def as_added(self, group: _Group) -> NDArray[Any]:
        """A group's values in the order in which they came, until `of` has ordered them."""
        found = self._found.get(group, array("i"))
        return np.frombuffer(found, found.typecode)

    def of(self, group: _Group) -> OrderedValues:
        """A group's values, ascending."""
        if group not in self._found:
            return _NONE
        if group not in self._ordered:
            ordered = self.as_added(group)
            ordered.sort()
            self._ordered[group] = OrderedValues(ordered)
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
