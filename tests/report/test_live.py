import io
import re

from rich.console import Console

from ipvsload.experiment.run_state import RunState
from ipvsload.experiment.timeline import Begin, Timeline
from ipvsload.ipvs.table import RealServer, VirtualService
from ipvsload.record.format import OccupancySample, Sample, ServerOccupancy
from ipvsload.report.terminal_progress import TerminalProgress
from ipvsload.scenario.load import parse_scenario
from tests.skew_recording import ONE, SCENARIO


class Counts:
    """Ten requests in flight, none done."""

    requests = failures = 0
    inflight = users = 10
    done = False
    started = True


def play(console: Console, *told: ServerOccupancy) -> None:
    scenario = parse_scenario(SCENARIO, "skew.yaml")
    state = RunState({name: Counts() for name in scenario.traffic})
    state.joined(ONE)
    state.began_us = 1_000_000
    timeline = Timeline(scenario.timeline)
    assert isinstance(timeline.ask(state, 1_000_000), Begin)
    server = RealServer(ONE, 1, 7, 0, 0, 0, 0, 0, 0, 0)
    state.sampled(
        Sample(1, "n", 1_500_000, 0, (VirtualService("k", "lc", 0, 0, 0, 0, 0, 0, 0, (server,)),))
    )
    if told:
        state.occupied(OccupancySample(1, 1_500_000, told))
    progress = TerminalProgress(scenario, console)
    progress.begin("lc", 1, 2)
    progress.update(state, timeline)
    progress.close()
    progress.close()


def test_a_terminal_sees_the_kernels_table_and_what_is_awaited() -> None:
    file = io.StringIO()
    play(Console(file=file, force_terminal=True, width=100, legacy_windows=False))
    text = file.getvalue()
    assert ONE in text
    assert "step 1 of 4: start long" in text
    assert "active{server=1} = 7" in text
    assert "0.5 s" in text


def test_busy_workers_and_the_queue_stand_beside_active_connections() -> None:
    texts = []
    for told in ((), (ServerOccupancy(ONE, 4, 3, 90, 0, 0),)):
        file = io.StringIO()
        play(Console(file=file, width=100, force_terminal=True, color_system=None), *told)
        texts.append(file.getvalue())
    assert re.search(r"active +inactive", texts[0])
    assert re.search(r"active +busy +queue +inactive", texts[1])
    assert re.search(rf"{ONE} +1 +7 +4 +3 +0", texts[1])


def test_elsewhere_there_is_one_line_a_run() -> None:
    file = io.StringIO()
    play(Console(file=file, width=100))
    assert file.getvalue() == "running lc, repeat 1 of 2\n"


def test_a_scheduler_that_nobody_named_is_told_too() -> None:
    file = io.StringIO()
    scenario = parse_scenario(SCENARIO, "skew.yaml")
    TerminalProgress(scenario, Console(file=file, width=100)).begin("", 1, 1)
    assert file.getvalue() == "running the scheduler that is there\n"
