"""A recording that goes on is read run by run, and each line of it once."""

from pathlib import Path

import pytest

from ipvsload.record.format import FormatError
from ipvsload.record.new_runs import NewRuns
from ipvsload.record.reader import read
from tests.simulate.played import played

TEXT = """
name: t
schedulers: [rr, lc]
service: {servers: 2, capacity: {workers: 1}}
traffic: {short: {users: 2, requests: 5}}
timeline: [{start: short, until: done}]
"""


def test_all_that_is_new_is_read_and_nothing_twice(tmp_path: Path) -> None:
    played(tmp_path / "whole", TEXT, repeats=3)
    whole = read(tmp_path / "whole")
    runs = {run.number: run for run in whole.runs}
    growing = tmp_path / "growing"
    growing.mkdir()
    lines = {path.name: path.read_bytes().splitlines(keepends=True)
             for path in (tmp_path / "whole").glob("*.ndjson")}  # fmt: skip
    for name, (header, *_) in lines.items():
        (growing / name).write_bytes(header)
    new = NewRuns(growing)
    assert new.take() == ()
    for first in (1, 3, 5):
        for name, (_, *rows) in lines.items():
            with (growing / name).open("ab") as file:
                # The run's number stands first in each row.
                file.writelines(
                    row for row in rows
                    if row.startswith((b"[%d," % first, b"[%d," % (first + 1)))
                    or any(b'"run":%d,' % n in row.replace(b" ", b"") for n in (first, first + 1))
                )  # fmt: skip
        assert new.take() == (runs[first], runs[first + 1])
        assert new.take() == ()


def test_a_damaged_line_is_an_error(tmp_path: Path) -> None:
    played(tmp_path / "run", TEXT)
    with (tmp_path / "run" / "requests.ndjson").open("ab") as file:
        file.write(b"[1, nonsense\n")
    with pytest.raises(FormatError):
        NewRuns(tmp_path / "run").take()
