"""Rows survive their blocks, and a file that was cut or damaged is read up to there."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipvsload.errors import UsageError
from ipvsload.record.column_blocks import MOST_ROWS, BlockEncoder, ColumnLayout
from ipvsload.record.column_file import ColumnFile

DOCS = Path(__file__).parents[2] / "docs" / "record-format.md"


class Row(NamedTuple):
    run: int
    name: str
    number: int
    maybe: int | None
    words: str | None
    flag: bool


LAYOUT = ColumnLayout("rows", Row, {"number": "how_many"})
numbers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=()), max_size=3)  # lone surrogates, too
rows_of = st.builds(
    Row, st.integers(1, 3), texts.filter(bool), numbers, st.none() | st.integers(0, 2**62),
    st.none() | texts, st.booleans(),
)  # fmt: skip
alike = st.builds(lambda row, times: [row] * times, rows_of, st.integers(1, 600))
batches = st.lists(st.lists(st.lists(rows_of, max_size=4) | alike, max_size=3).map(
    lambda parts: [row for part in parts for row in part]), max_size=4)  # fmt: skip


def written(path: Path, found: list[list[Row]]) -> list[int]:
    """A file of these batches; where each of its writes ends."""
    encoder, ends = BlockEncoder(LAYOUT), []
    with path.open("wb") as file:
        file.write(LAYOUT.header())
        for batch in found:
            encoder.add(batch)
            file.write(encoder.take())
            ends.append(file.tell())
    return ends


def read_rows(file: ColumnFile[Row], run: int) -> list[Row]:
    return [row for block in file.blocks(run) for row in LAYOUT.rows(run, block, file.texts)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(found=batches)
def test_rows_survive_their_blocks(tmp_path: Path, found: list[list[Row]]) -> None:
    path = tmp_path / "rows.columns"
    written(path, found)
    notes: list[str] = []
    file = ColumnFile.read(path, LAYOUT, notes)
    assert notes == []
    rows = [row for batch in found for row in batch]
    assert file.runs == tuple(sorted({row.run for row in rows}))
    for run in (1, 2, 3):
        mine = [row for row in rows if row.run == run]
        assert read_rows(file, run) == mine
        assert file.rows(run) == len(mine)
        named = [one for (column,) in file.blocks(run, ["how_many"]) for one in column.tolist()]
        assert named == [row.number for row in mine]


SOME = [
    [Row(1, "a", i, None, None, False) for i in range(90)],
    [Row(1, "b", i, 5, "x", True) for i in range(40)] + [Row(2, "c", 7, None, "y", False)],
    [Row(2, "d", -i, i, "z\n", bool(i % 2)) for i in range(20)],
]


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    path = tmp_path_factory.mktemp("some") / "rows.columns"
    return path, written(path, SOME)


def all_rows(path: Path, notes: list[str]) -> list[Row]:
    file = ColumnFile.read(path, LAYOUT, notes)
    return [row for run in file.runs for row in read_rows(file, run)]


def test_a_file_that_was_cut_anywhere_is_read_up_to_its_last_whole_block(
    some: tuple[Path, list[int]], tmp_path: Path
) -> None:
    content = some[0].read_bytes()
    whole = all_rows(some[0], [])
    assert whole == [row for batch in SOME for row in batch]
    cut = tmp_path / "rows.columns"
    # The second batch is of two runs, and so of two blocks.
    ends = [place.start() for place in re.finditer(rb'\{"run"', content)]
    ends = [*ends[1:], len(content)]
    counts = [90, 130, 131, 151]
    assert some[1] == [ends[0], ends[2], ends[3]]
    for size in range(len(content) + 1):
        cut.write_bytes(content[:size])
        notes: list[str] = []
        found = all_rows(cut, notes)
        rest = max((count for end, count in zip(ends, counts, strict=True) if end <= size),
                   default=0)  # fmt: skip
        assert found == whole[:rest]
        if size == 0:
            assert notes == ["rows.columns is empty"]
        elif size < len(LAYOUT.header()):
            assert notes == ["rows.columns has no whole line"]
        elif size in (*ends, len(LAYOUT.header())):
            assert notes == []
        else:
            assert notes == ["rows.columns stops in the middle of a block"]


def test_damage_anywhere_in_a_block_is_noted_and_ends_the_file(
    some: tuple[Path, list[int]], tmp_path: Path
) -> None:
    content = some[0].read_bytes()
    whole = all_rows(some[0], [])
    path = tmp_path / "rows.columns"
    for place in range(some[1][0], some[1][1]):
        for change in (0x01, 0x80):
            damaged = bytearray(content)
            damaged[place] ^= change
            path.write_bytes(damaged)
            notes: list[str] = []
            found = all_rows(path, notes)
            assert found in (whole[:90], whole[:130])
            (note,) = notes
            # A number of rows that has grown is more than there is.
            assert re.match(
                r"rows\.columns (is damaged in block [23] \(.+\) and not read any further"
                r"|stops in the middle of a block)$",
                note,
            )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rubbish=st.binary(max_size=80))
def test_rubbish_behind_the_blocks_is_noted(
    some: tuple[Path, list[int]], tmp_path: Path, rubbish: bytes
) -> None:
    path = tmp_path / "rows.columns"
    path.write_bytes(some[0].read_bytes() + rubbish)
    notes: list[str] = []
    assert len(all_rows(path, notes)) == 151
    assert len(notes) == bool(rubbish)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"hello\n", "no header of ours"),
        (b"[1]\n", "no header of ours"),
        (b'{"ipvsload":"requests","version":1}\n', 'says "requests", not rows'),
        (b'{"ipvsload":"rows","version":2}\n', "written in version 2 of the format"),
        (b'{"ipvsload":"rows","version":1,"columns":["name"]}\n', "other columns"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, line: bytes, why: str) -> None:
    (tmp_path / "rows.columns").write_bytes(line)
    with pytest.raises(UsageError, match=why):
        ColumnFile.read(tmp_path / "rows.columns", LAYOUT, [])


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.columns: cannot be read: No such file"):
        ColumnFile.read(tmp_path / "none.columns", LAYOUT, [])


def test_a_file_that_changes_behind_its_reader_is_told(
    some: tuple[Path, list[int]], tmp_path: Path
) -> None:
    path = tmp_path / "rows.columns"
    content = some[0].read_bytes()
    begin = len(LAYOUT.header())
    for changed in (content[: some[1][0] - 1], content[:begin], content[:begin] + b"x" * 500):
        path.write_bytes(content)
        file = ColumnFile.read(path, LAYOUT, [])
        path.write_bytes(changed)
        with pytest.raises(UsageError, match=r"rows\.columns: has changed since it was read"):
            read_rows(file, 1)


def test_what_comes_later_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.columns"
    encoder, notes = BlockEncoder(LAYOUT), list[str]()
    path.write_bytes(LAYOUT.header())
    file = ColumnFile(path, LAYOUT)
    for number in range(1, 4):
        encoder.add(SOME[2])
        with path.open("ab") as later:
            later.write(encoder.take())
        ((run, columns),) = file.new(notes)
        assert list(LAYOUT.rows(run, columns, file.texts)) == SOME[2]
        assert file.rows(2) == 20 * number
    assert (list(file.new(notes)), notes) == ([], [])


def test_a_row_takes_few_bytes_also_in_a_small_block() -> None:
    def size(count: int) -> float:
        encoder = BlockEncoder(LAYOUT)
        encoder.add([Row(1, "abc", 10**12 + 700 * i, None, "de", True) for i in range(count)])
        return len(encoder.take()) / count

    assert size(50) < 5
    assert size(20_000) < 4.01


def test_a_block_has_only_so_many_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.columns"
    written(path, [[Row(1, "a", i, None, None, False) for i in range(2 * MOST_ROWS + 100)]])
    file = ColumnFile.read(path, LAYOUT, [])
    assert next(len(block[0]) for block in file.blocks(1)) <= MOST_ROWS
    assert [row.number for row in read_rows(file, 1)] == list(range(2 * MOST_ROWS + 100))


def test_the_reader_of_the_documentation_reads_it(tmp_path: Path) -> None:
    """It knows nothing of ipvsload: Python's library is enough."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(code.splitlines()) <= 16
    written(tmp_path / "rows.columns", SOME)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(tmp_path / "rows.columns")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [row for batch in SOME for row in batch]
    assert done.stdout.splitlines() == [
        str({"run": r.run, "name": r.name, "how_many": r.number, "maybe": r.maybe,
             "words": r.words, "flag": int(r.flag)})
        for r in rows
    ]  # fmt: skip
