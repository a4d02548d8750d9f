import json
import re
import shutil
from pathlib import Path

import pytest

from ipvsload.errors import UsageError
from ipvsload.record.format import EVENTS, REQUEST_LINES, REQUESTS, SAMPLES, SCENARIO
from ipvsload.record.reader import read
from tests.record.request_lines import as_lines
from tests.recorded_requests import recorded_requests
from tests.skew_recording import write_skew


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_skew(tmp_path_factory.mktemp("skew"))


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def test_a_recording_that_stops_in_a_line_says_where(copy: Path) -> None:
    lines = (copy / EVENTS).read_bytes().splitlines(keepends=True)
    second = next(i for i, line in enumerate(lines) if b'"run":2' in line)
    (copy / EVENTS).write_bytes(b"".join(lines[: second + 4]))
    cut(copy / REQUESTS, (copy / REQUESTS).stat().st_size - 5)
    recording = read(copy)
    (line,) = recording.ends
    assert line.startswith("the recording ends at ")
    assert "in run 2 (lc)" in line
    assert "requests.columns stops in the middle of a block" in line
    # The last block had those that ended since the event before.
    assert 50 < len(recording.runs[1].requests) < 110


@pytest.mark.parametrize("name", [EVENTS, SAMPLES])
def test_any_file_may_end_anywhere(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    for size in range(0, len(content), len(content) // 40):
        (copy / name).write_bytes(content[:size])
        recording = read(copy)
        if name == EVENTS:
            assert recording.ends
            continue
        found = sum(len(run.samples) for run in recording.runs)
        assert found == max(0, content[:size].count(b"\n") - 1)
        assert bool(recording.ends) != (content[:size].endswith(b"\n"))


def test_the_requests_may_end_anywhere(copy: Path) -> None:
    content, whole = (copy / REQUESTS).read_bytes(), recorded_requests(copy)
    ends = [found.start() for found in re.finditer(rb'\{"run"', content)] + [len(content)]
    before = 0
    for size in range(0, len(content), len(content) // 60):
        (copy / REQUESTS).write_bytes(content[:size])
        recording = read(copy)
        found = [request for run in recording.runs for request in run.requests]
        assert found == whole[: len(found)]
        assert before <= len(found)
        before = len(found)
        assert bool(recording.ends) != (size in ends)
    assert before > 150


@pytest.mark.parametrize("name", [SAMPLES, REQUESTS])
def test_a_missing_file_is_said(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert read(copy).ends == (f"{name} is missing",)


def test_without_events_the_samples_tell_the_scheduler(copy: Path) -> None:
    (copy / EVENTS).unlink()
    recording = read(copy)
    assert [run.scheduler for run in recording.runs] == ["rr", "lc"]
    assert "events.ndjson is missing" in recording.ends[0]


def test_a_damaged_line_ends_its_file_there(copy: Path) -> None:
    lines = (copy / SAMPLES).read_bytes().splitlines(keepends=True)
    lines[50] = b"\0" * 20 + b"\n"
    (copy / SAMPLES).write_bytes(b"".join(lines))
    recording = read(copy)
    assert sum(len(run.samples) for run in recording.runs) == 49
    assert "samples.ndjson is damaged in line 51" in recording.ends[0]


def test_damage_in_a_block_ends_the_requests_there(copy: Path) -> None:
    content = (copy / REQUESTS).read_bytes()
    third = [found.start() for found in re.finditer(rb'\{"run"', content)][2]
    (copy / REQUESTS).write_bytes(content[: third + 9] + b"\0" + content[third + 10 :])
    recording = read(copy)
    assert 0 < sum(len(run.requests) for run in recording.runs) < 219
    assert "requests.columns is damaged in block 3 (" in recording.ends[0]


def test_requests_as_lines_are_read_like_those_in_columns(copy: Path) -> None:
    columns = read(Path(shutil.copytree(copy, copy.parent / "columns")))
    lines = as_lines(copy) / REQUEST_LINES
    assert read(copy).runs == columns.runs
    assert not (copy / REQUESTS).exists()
    content = lines.read_text().splitlines(keepends=True)
    large = content[20].replace(",200,", f",{2**63},")
    lines.write_text("".join([*content[:20], large, *content[20:]]))
    (note,) = read(copy).ends
    assert note.startswith("requests.ndjson is damaged in line 21 (a number is too large)")
    lines.write_text("".join(content)[:-5])
    assert read(copy).ends == ("requests.ndjson stops in the middle of a line",)


def test_another_version_is_refused(copy: Path) -> None:
    lines = (copy / SAMPLES).read_text().splitlines(keepends=True)
    header = json.loads(lines[0]) | {"version": 2}
    (copy / SAMPLES).write_text(json.dumps(header) + "\n" + "".join(lines[1:]))
    with pytest.raises(UsageError, match=r"samples\.ndjson.*version 2"):
        read(copy)


def test_a_file_of_another_kind_is_refused(copy: Path) -> None:
    shutil.copy(copy / SAMPLES, copy / REQUESTS)
    with pytest.raises(UsageError, match="samples"):
        read(copy)
    (copy / REQUESTS).write_text("hello\n")
    with pytest.raises(UsageError, match="no header"):
        read(copy)


def test_what_is_no_run_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run directory"):
        read(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        read(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        read(tmp_path / "file")


def test_a_lost_scenario_is_none(copy: Path) -> None:
    (copy / SCENARIO).unlink()
    assert read(copy).scenario_text is None
