"""What a record tells of its directors reaches the model."""

from pathlib import Path

from ipvsload.ipvs_model.director_model import ServiceSettings
from ipvsload.record.events import ClockAligned, DirectorSettings
from ipvsload.record.reader import read
from ipvsload.replay.recorded_directors import recorded_directors
from tests.skew_recording import write_skew


def test_timers_are_those_of_the_kernel_that_was_recorded(tmp_path: Path) -> None:
    run = read(write_skew(tmp_path / "run")).runs[0]
    node = run.samples[0].node
    usual = recorded_directors(run, None, 256)[0].settings
    own = ServiceSettings("rr", "192.0.2.80")
    assert (usual.hz, usual.booted_ns) == (own.hz, own.booted_ns)  # an older record
    run.events = [one for one in run.events if not isinstance(one, ClockAligned)]
    run.events.append(ClockAligned(1, 0, node, -1200, 90, booted_us=-5_000_000))
    run.events.append(DirectorSettings(1, 0, node, {}, {}, ticks=100))
    found = recorded_directors(run, None, 256)[0].settings
    assert (found.hz, found.booted_ns) == (100, -5_000_000_000)
