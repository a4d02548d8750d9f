"""Rows by the values of their columns, and whole numbers by what they belong to."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.record.row_groups import row_groups
from ipvsload.record.values_by_group import ValuesByGroup

rows = st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from([0, 7, 10**6])))


@given(rows)
def test_groups_are_those_that_single_rows_make(found: list[tuple[int, bool, int]]) -> None:
    expected: dict[tuple[int, bool, int], list[int]] = {}
    for place, row in enumerate(found):
        expected.setdefault(row, []).append(place)
    columns = [np.array([row[n] for row in found], kind) for n, kind in enumerate("qbq")]
    groups = [(key, places.tolist()) for key, places in row_groups(*columns)]
    assert groups == list(expected.items())  # also in their order


pieces = st.lists(
    st.tuples(st.sampled_from("abc"), st.lists(st.integers(-5, 5) | st.integers(-(2**40), 2**40)))
)


@given(pieces)
def test_values_come_back_in_order_whatever_their_size(found: list[tuple[str, list[int]]]) -> None:
    values = ValuesByGroup(lambda: ((group, np.array(some, np.int64)) for group, some in found))
    for one in "abc":
        came = [v for group, some in found if group == one for v in some]
        assert values.as_they_came(one).tolist() == came
    assert values.groups == list(dict.fromkeys(group for group, _ in found))
    for wanted in ("a", "ab", "abc", "b", ""):
        expected = sorted(v for group, some in found if group in wanted for v in some)
        together = values.together(set(wanted).__contains__)
        assert list(together) == expected
        assert [together[i] for i in range(-len(expected), len(expected))] == expected * 2
    assert all(list(values.of(one)) == list(values.together(one.__eq__)) for one in "abc")
