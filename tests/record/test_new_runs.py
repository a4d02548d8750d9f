"""A recording that goes on is read run by run, and each line of it once."""

from pathlib import Path

import pytest

from ipvsload.record.column_blocks import BlockEncoder
from ipvsload.record.format import EVENTS, REQUESTS, FormatError
from ipvsload.record.new_runs import NewRuns
from ipvsload.record.reader import read
from ipvsload.record.request_table import REQUEST_LAYOUT
from tests.recorded_requests import recorded_requests
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
    requests, encoder = recorded_requests(tmp_path / "whole"), BlockEncoder(REQUEST_LAYOUT)
    (growing / REQUESTS).write_bytes(REQUEST_LAYOUT.header())
    new = NewRuns(growing)
    assert new.take() == ()
    for first in (1, 3, 5):
        for name, (_, *rows) in lines.items():
            with (growing / name).open("ab") as file:
                file.writelines(
                    row for row in rows
                    if any(b'"run":%d,' % n in row.replace(b" ", b"") for n in (first, first + 1))
                )  # fmt: skip
        encoder.add(one for one in requests if one.run in (first, first + 1))
        with (growing / REQUESTS).open("ab") as file:
            file.write(encoder.take())
        assert new.take() == (runs[first], runs[first + 1])
        assert new.take() == ()


@pytest.mark.parametrize("name", [EVENTS, REQUESTS])
def test_damage_is_an_error(name: str, tmp_path: Path) -> None:
    played(tmp_path / "run", TEXT)
    with (tmp_path / "run" / name).open("ab") as file:
        file.write(b"[1, nonsense\n")
    with pytest.raises(FormatError):
        NewRuns(tmp_path / "run").take()
