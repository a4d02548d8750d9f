import subprocess
import sys
from pathlib import Path

import pytest

from ipvsload.errors import UsageError
from ipvsload.record.events import ClassDone
from ipvsload.record.format import OCCUPANCY, OccupancySample, Request, ServerOccupancy
from ipvsload.record.reader import read
from ipvsload.record.writer import FLUSH_US, RunWriter
from tests.skew_recording import SCENARIO, write_skew


def open_writer(directory: Path) -> RunWriter:
    return RunWriter(
        directory, scenario_text=SCENARIO, scenario="skew", testbed="lab", origin_unix_us=0
    )


def request(number: int) -> Request:
    return Request(1, "short", number, number, 900, 200, 31, "c", 4000, False, "s:80", None)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    recording = read(write_skew(tmp_path / "new" / "run"))
    assert recording.ends == ()
    assert [run.scheduler for run in recording.runs] == ["rr", "lc"]
    assert [len(run.requests) for run in recording.runs] == [110, 110]
    assert recording.scenario_text == SCENARIO
    assert recording.header.origin_unix_us == 1_767_225_600_000_000


def test_an_event_takes_all_before_it_to_the_file(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.request(request(1))
    writer.event(ClassDone(1, 1, "short"))
    assert len(read(tmp_path).runs[0].requests) == 1
    writer.close()
    writer.close()


def test_lines_wait_half_a_second_of_recorded_time_at_most(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.request(request(0))
    assert read(tmp_path).runs == ()
    writer.request(request(600_000))
    assert len(read(tmp_path).runs[0].requests) == 2
    writer.close()


def occupancy(t_us: int) -> OccupancySample:
    return OccupancySample(1, t_us, (ServerOccupancy("s:80", 8, 3, 100, 0, 5_000),))


def test_what_servers_say_has_a_file_from_the_first_on_that_says_something(
    tmp_path: Path,
) -> None:
    writer = open_writer(tmp_path)
    writer.event(ClassDone(1, 1, "short"))
    assert not (tmp_path / OCCUPANCY).exists()
    said = [occupancy(0), occupancy(100_000), occupancy(600_000)]
    for sample in said[:2]:
        writer.occupancy(sample)
    assert not (tmp_path / OCCUPANCY).exists()
    writer.occupancy(said[2])
    assert read(tmp_path).runs[0].occupancy == said
    writer.close()
    assert read(tmp_path).runs[0].end_us == 600_000


def test_a_torn_line_of_what_servers_say_leaves_those_before(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.occupancy(occupancy(0))
    writer.occupancy(occupancy(900_000))
    writer.close()
    content = (tmp_path / OCCUPANCY).read_bytes()
    (tmp_path / OCCUPANCY).write_bytes(content[:-5])
    recording = read(tmp_path)
    assert recording.runs[0].occupancy == [occupancy(0)]
    assert "occupancy.ndjson stops in the middle of a line" in recording.ends[0]


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match=str(tmp_path)):
        open_writer(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="a file"):
        open_writer(tmp_path / "file")
    with pytest.raises(UsageError, match="a file"):
        open_writer(tmp_path / "file" / "below")


def test_where_nothing_can_be_made_the_path_is_named() -> None:
    with pytest.raises(UsageError, match="/proc/no-such-place"):
        open_writer(Path("/proc/no-such-place"))


FULL = """
import resource, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from tests.record.test_writer import open_writer, request
from ipvsload.errors import InvalidRunError
from ipvsload.record.events import ClassDone
writer = open_writer(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
raised = []
for number in range(100):
    try:
        writer.request(request(number))
        writer.flush()
    except InvalidRunError as error:
        raised.append(str(error))
writer.event(ClassDone(1, 1, "short"))
writer.close()
print(len(raised), raised[0])
"""


def test_a_full_disk_is_said_once_and_leaves_a_readable_record(tmp_path: Path) -> None:
    script = FULL.format(tests=str(Path(__file__).parents[2]))
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    count, message = done.stdout.split(maxsplit=1)
    assert count == "1"
    assert str(tmp_path / "requests.columns") in message
    assert "ipvsload report" in message
    recording = read(tmp_path)
    assert 10 < len(recording.runs[0].requests) < 100
    assert "requests.columns stops in the middle of a block" in recording.ends[0]


KILLED = """
import sys
from itertools import count
from pathlib import Path
sys.path[:0] = [{tests!r}]
from tests.record.test_writer import open_writer, request
writer = open_writer(Path(sys.argv[1]))
for number in count():
    writer.requests([request(37 * n) for n in range(7 * number, 7 * number + 7)])
    if number % 5_000 == 4_999:
        print(7 * number, flush=True)
"""


def test_a_killed_writer_leaves_all_but_the_last_half_second(tmp_path: Path) -> None:
    script = KILLED.format(tests=str(Path(__file__).parents[2]))
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        written = int(process.stdout.readline())
        process.kill()
    recording = read(tmp_path)
    (run,) = recording.runs
    planned = [one.planned_us for one in run.requests]
    assert planned == [37 * n for n in range(len(planned))]
    # What was kept in memory is of half a second of the recording's time.
    assert planned[-1] + 900 >= 37 * written - FLUSH_US
    assert recording.ends[0].startswith("the recording ends at ")
