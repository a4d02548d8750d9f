"""A scenario's text, played on the model into a directory, and what came of it."""

from collections.abc import Callable
from pathlib import Path

from ipvsload.record.reader import Recording, read
from ipvsload.record.writer import RunWriter
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from ipvsload.simulate.model_testbed import ModelTestbed
from ipvsload.simulate.play_model import model_testbed, play_model


def played(
    directory: Path,
    text: str,
    repeats: int = 1,
    before: Callable[[ModelTestbed], None] = lambda _: None,
) -> tuple[Recording, Results]:
    """`before` may do something with the testbed, or plan something on its clock."""
    scenario = parse_scenario(text, "played")
    testbed = model_testbed(scenario)
    before(testbed)
    writer = RunWriter(
        directory, scenario_text=text, scenario=scenario.name, testbed="model", origin_unix_us=0
    )
    play_model(scenario, testbed, writer, scenario.schedulers, repeats)
    recording = read(directory)
    return recording, evaluate(recording, scenario)
