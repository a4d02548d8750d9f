"""Files of arrivals and of work: what they may be, and what is said of the line that is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.errors import UsageError
from ipvsload.scenario.file_reference import FileReference
from ipvsload.scenario.load import ScenarioError, load, parse_scenario, with_files
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.scenario_files import ScenarioFiles
from ipvsload.scenario.trace import Trace, TraceError, TraceRow
from tests.scenario.test_scenario_transcript import GOOD

SHORT = "short: {users: 5, requests: 100}"
CSV = 'offset,path,work\n0,/ip,0.01\n0.5,/delay/1,0\n0.5,"/get?a,b",12\n'
ROWS = [TraceRow(0, "/ip", 0.01), TraceRow(0.5, "/delay/1", 0), TraceRow(0.5, "/get?a,b", 10)]


def rows(text: str) -> list[TraceRow]:
    return list(Trace("t", text.encode().splitlines(keepends=True)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CSV, ROWS),
        ("\ufeff" + CSV.replace("\n", "\r\n"), ROWS),
        ("time\n1700000000.25\n1700000001\n", [TraceRow(0), TraceRow(0.75)]),
        ("work,offset\n1,2\n", [TraceRow(2, None, 1)]),
        (
            '{"time": 5, "path": "/a"}\n{"path": "/b", "time": 7}',
            [TraceRow(0, "/a"), TraceRow(2, "/b")],
        ),
        ("offset\n", []),
    ],
)  # fmt: skip
def test_what_a_file_says(text: str, found: list[TraceRow]) -> None:
    assert rows(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t:1: the file is empty; it needs a line for each arrival"),
        ("\n1\n", "t:1: the file is empty; it needs a line for each arrival"),
        ("ofset\n1\n", "t:1: unknown column 'ofset'; did you mean 'offset'?"),
        ("path\n/\n", "t:1: one column is needed of 'offset' and 'time', which say when"),
        ("time,offset\n1,1\n", "t:1: one column is needed of 'offset' and 'time', which say when"),
        ("time,time\n1,1\n", "t:1: the column 'time' is there twice"),
        ("offset\n1\n3\n2.5\n", "t:4: 0.5 s before the line above it; sort the file"),
        ("offset\n-1\n", "t:2: 1 s before the start"),
        ("offset\n1\n\n2\n", "t:3: 'offset': expected seconds, found ''"),
        ("offset,work\n1\n", "t:2: expected 2 values (offset,work), found 1"),
        ("offset,work\n1,\n", "t:2: 'work': expected seconds, found ''"),
        ("offset\nnan\n", "t:2: 'offset': expected seconds, found 'nan'"),
        ("offset\n90000\n", "t:2: 90000 s after the start, and a class may last for 24 h"),
        ("offset,work\n1,-1\n", "t:2: the work is less than 0: -1"),
        ("offset,path\n1,index\n", "t:2: expected a path such as /index.html, found 'index'"),
        ("offset\n" + "1" * 9000, "t:2: a line of more than 8192 bytes"),
        ('{"time": 1}\n{"time": true}\n', "t:2: 'time': expected seconds, found 'True'"),
        ('{"time": 1}\n{"offset": 1}\n', "t:2: expected time, as in the first line"),
        ('{"time": 1}\n[]\n', "t:2: not a JSON object"),
        ('{"time"\n', "t:1: not a JSON object"),
    ],
)  # fmt: skip
def test_the_line_that_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(TraceError) as error:
        rows(text)
    assert str(error.value) == message


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_whatever_a_file_has_it_is_read_or_refused(lines: list[bytes]) -> None:
    try:
        found = list(Trace("t", lines))
    except TraceError:
        return
    assert found == sorted(found, key=lambda row: row.seconds)


@given(st.lists(st.floats(0, 80_000), min_size=1).map(sorted))
def test_times_are_read_as_they_were_written(times: list[float]) -> None:
    text = "offset\n" + "".join(f"{time!r}\n" for time in times)
    assert [row.seconds for row in rows(text)] == times


def test_a_trace_is_read_line_by_line() -> None:
    def endless() -> Iterator[bytes]:
        yield b"offset\n"
        for number in range(10**9):
            yield b"%d\n" % number

    arrivals = iter(Trace("t", endless()))
    assert [next(arrivals).seconds for _ in range(3)] == [0, 1, 2]


# In a scenario


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(CSV)
    (tmp_path / "work.txt").write_text("30ms\n0.01\n0.02\n")
    return tmp_path


def said(folder: Path, spec: str) -> list[str]:
    path = folder / "s.yaml"
    path.write_text(GOOD.replace(SHORT, f"short: {{{spec}}}"))
    try:
        load(path)
    except ScenarioError as error:
        return [line.removeprefix(f"{folder}/") for line in str(error).splitlines()]
    return []


@pytest.mark.parametrize(
    "spec",
    [
        "arrivals: {file: t.csv}",
        "arrivals: 'file: t.csv', request: 'GET {path}'",
        "arrivals: 'file: t.csv', request: 'GET {path}?s={work}'",
        "arrivals: 'file: t.csv', request: 'GET /delay/{work}', work: 'file: work.txt'",
        "rate: 5, duration: 1s, request: 'GET /delay/{work}', work: {file: work.txt}",
    ],
)
def test_files_are_named_relative_to_the_scenario(folder: Path, spec: str) -> None:
    assert said(folder, spec) == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("arrivals: 'file: no.csv'", "s.yaml:6:21: no.csv: no such file ({folder}/no.csv)"),
        ("arrivals: {file: .}", "s.yaml:6:28: .: not a file ({folder})"),
        ("arrivals: {file: work.txt}",
         "s.yaml:6:28: work.txt:1: unknown column '30ms'; the columns are offset, time, path and "
         "work"),
        ("arrivals: {file: t.csv, sha256: '00'}",
         "s.yaml:6:28: t.csv: not the file that is meant: its sha256 is "
         "5d2d0fd2b1d30a7a0d4d7b6a, and not 00"),
        ("arrivals: {file: t.csv, sah256: '00'}",
         "s.yaml:6:35: unknown key 'sah256'; did you mean 'sha256'?"),
        ("arrivals: {file: t.csv}, rate: 5",
         "s.yaml:6:36: a file has the arrivals, so that 'rate' has no place here"),
        ("arrivals: {file: t.csv}, think: 5",
         "s.yaml:6:36: 'think' is a user's pause, and this class has a rate"),
        ("rate: 1, requests: 5, request: 'GET {path}'",
         "s.yaml:6:33: {path} needs 'arrivals: file: NAME' with a column 'path'"),
        ("rate: 1, requests: 5, request: 'GET /{work}', work: {file: t.csv}",
         "s.yaml:6:70: t.csv:1: expected a time such as 0.02 or 20ms, found 'offset,path,work'"),
        ("arrivals: fiel", "s.yaml:6:21: 'arrivals': expected even, poisson or file: NAME, found "
         "the text 'fiel'; the words are even, poisson and file: NAME"),
    ],
)  # fmt: skip
def test_what_is_refused(folder: Path, spec: str, message: str) -> None:
    [line] = said(folder, spec)
    wanted = message.replace("{folder}", str(folder))
    if "sha256 is" in wanted:
        wanted, line = wanted.partition(" is ")[0], line.partition(" is ")[0]
    assert line == wanted


def test_waits_know_how_many_arrivals_a_file_has(folder: Path) -> None:
    path = folder / "s.yaml"
    text = GOOD.replace(SHORT, "short: {arrivals: {file: t.csv}}")
    path.write_text(text.replace("until: done{class=short}", "until: requests{class=short} == 4"))
    with pytest.raises(ScenarioError) as error:
        load(path)
    assert "requests{class=short} is at most 3 here ('short' has 3 arrivals)" in str(error.value)


def test_a_report_needs_no_file_and_the_record_says_which_it_was(folder: Path) -> None:
    text = GOOD.replace(SHORT, "short: {arrivals: {file: t.csv}, request: 'GET {path}'}")
    scenario = parse_scenario(text, "s.yaml", ScenarioFiles(folder))
    recorded = with_files(text, scenario)
    trace = scenario.traffic["short"].trace
    assert trace is not None
    assert recorded == f"{text}# t.csv: 3 arrivals, sha256 {trace.sha256}\n"
    again = parse_scenario(recorded, "s.yaml").traffic["short"]
    assert (again.open, again.endless, again.size) == (True, False, "arrivals of t.csv")
    assert with_files(GOOD, parse_scenario(GOOD, "s.yaml")) == GOOD


def test_a_worker_takes_the_same_file_and_no_other(folder: Path) -> None:
    files = ScenarioFiles(folder)
    text = GOOD.replace(
        SHORT, "short: {arrivals: {file: t.csv}, request: 'GET /{work}', work: {file: work.txt}}"
    )
    spec = parse_scenario(text, "s.yaml", files).traffic["short"]
    share = spec.model_dump(exclude_unset=True)
    again = Traffic.of_share(share, ScenarioFiles(Path("/")))
    assert again.trace is not None
    assert spec.trace is not None
    assert again.trace._replace(name="t.csv") == spec.trace
    assert again.work is not None
    assert [again.work.quantile(chance) for chance in (0.1, 0.5, 0.9)] == [0.01, 0.02, 0.03]
    (folder / "t.csv").write_text(CSV + "0.6,/,1\n")
    with pytest.raises(UsageError, match="not the file that is meant"):
        Traffic.of_share(share, ScenarioFiles(Path("/")))


def test_a_file_that_changes_is_looked_at_again(folder: Path) -> None:
    files = ScenarioFiles(folder)
    assert files.trace(FileReference("t.csv")).arrivals == 3
    (folder / "t.csv").write_text(CSV + "0.6,/,1\n")
    assert files.trace(FileReference("t.csv")).arrivals == 4
