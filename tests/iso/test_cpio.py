"""The archives that the kernel unpacks: what is put in comes out, in an order it can use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload import cpio

NAMES = st.lists(
    st.text("abcdef", min_size=1, max_size=5).map("f".__add__), min_size=1, max_size=3
).map("/".join)


@given(st.dictionaries(NAMES.map(lambda name: f"d/{name}.txt"), st.binary(max_size=40), max_size=5))
def test_there_and_back(files: dict[str, bytes]) -> None:
    made = cpio.archive(cpio.file(path, data) for path, data in files.items())
    assert len(made) % 4 == 0
    *entries, rest = cpio.entries(made + b"more")
    assert rest.data == b"more"
    assert {e.path: e.data for e in entries if e.path.endswith(".txt")} == files
    seen = {""}
    for entry in entries:
        assert entry.path.rpartition("/")[0] in seen  # the kernel makes no parents by itself
        seen.add(entry.path)


def test_the_same_files_in_another_order_are_the_same_bytes() -> None:
    one, two = cpio.file("a/b", b"1"), cpio.file("a/c", b"2")
    assert cpio.archive([one, two]) == cpio.archive([two, one])


def test_what_is_cut_short_is_an_error() -> None:
    made = cpio.archive([cpio.file("a", bytes(100))])
    for length in (0, 50, 150, len(made) - 50):
        with pytest.raises(ValueError, match="cut short"):
            list(cpio.entries(made[:length]))
