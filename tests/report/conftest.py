"""The recordings that every report is tested with."""

from dataclasses import replace

import pytest

from ipvsload.record.events import StepStarted
from ipvsload.record.reader import Recording, read
from ipvsload.results.results import Results
from tests.report.rendering import results
from tests.request_edits import change_each
from tests.skew_recording import write_skew

HOSTILE = "</script><script>alert(1)</script>\"'&<b>|`*_[x](http://e.example)\n\x00\x1b[31m"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return read(write_skew(tmp_path_factory.mktemp("skew")))


@pytest.fixture(scope="module")
def hostile(recording: Recording) -> tuple[Recording, Results]:
    """The skew run with every text that a recording can bring replaced."""
    found = results(recording)
    run = replace(
        found.runs[0],
        valid=False,
        scheduler=HOSTILE,
        reasons=(HOSTILE,),
        notes=(HOSTILE,),
        kernel={"release": HOSTILE, "provider": HOSTILE},
        traffic={HOSTILE: found.runs[0].traffic["short"]},
        servers=tuple(replace(s, address=HOSTILE) for s in found.runs[0].servers),
        expectations=tuple(
            replace(e, expression=HOSTILE, held=False, measured=None, reason=HOSTILE)
            for e in found.runs[0].expectations
        ),
    )
    scheduler = replace(
        found.schedulers[0],
        scheduler=HOSTILE,
        traffic={HOSTILE: found.schedulers[0].traffic["short"]},
        servers=tuple(
            replace(s, requests={HOSTILE: s.requests["short"]}, share={HOSTILE: s.share["short"]})
            for s in found.schedulers[0].servers
        ),
    )
    changed = replace(
        found,
        scenario=HOSTILE,
        title=HOSTILE,
        testbed=HOSTILE,
        verdict="invalid",
        runs=(run,),
        schedulers=(scheduler,),
        ends=(HOSTILE,),
    )
    recorded = replace(recording.runs[0])
    recorded.events = [
        replace(e, text=HOSTILE) if isinstance(e, StepStarted) else e for e in recorded.events
    ]
    change_each(recorded, lambda r: r._replace(traffic=HOSTILE))
    return replace(recording, runs=(recorded,)), changed
