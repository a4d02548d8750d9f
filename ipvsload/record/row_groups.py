"""Rows by the values of some columns: requests by class and server, many thousand at once."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray


def row_groups(*columns: NDArray[Any]) -> Iterator[tuple[tuple[int, ...], NDArray[np.intp]]]:
    """Each combination of values that some row has, and the places of its rows, ascending.

    Combinations come in the order of their first rows, as if one row had been looked at after the
    other. Values are whole numbers from 0 on.
    """
    key = np.zeros(len(columns[0]), np.int64)
    if not len(key):
        return
    for column in columns:
        key = key * (int(column.max()) + 1) + column
    if int(key.max()) <= np.iinfo(np.uint16).max:
        key = key.astype(np.uint16)  # of which numpy sorts with a radix
    order = np.argsort(key, kind="stable")
    key = key[order]
    edges = [0, *(np.flatnonzero(key[1:] != key[:-1]) + 1).tolist(), len(key)]
    groups = [order[begin:end] for begin, end in pairwise(edges)]
    for rows in sorted(groups, key=lambda rows: int(rows[0])):
        yield tuple(int(column[rows[0]]) for column in columns), rows
