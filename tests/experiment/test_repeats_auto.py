"""`--repeats auto`: as many blocks as a precision takes, in a record and in a summary."""

from pathlib import Path

import click
import pytest

from ipvsload.cli import cli
from ipvsload.cli.variants import wanted_variants
from ipvsload.errors import InvalidRunError, UsageError
from ipvsload.experiment.precision_rule import PrecisionRule
from ipvsload.experiment.progress import BlocksTold
from ipvsload.record.events import BlocksEnded, BlocksPlanned
from ipvsload.record.reader import Recording, read
from ipvsload.record.writer import RunWriter
from ipvsload.results.evaluate import evaluate
from ipvsload.results.precision import LEAST_BLOCKS
from ipvsload.scenario.load import parse_scenario
from ipvsload.simulate.model_testbed import ModelTestbed
from ipvsload.simulate.play_model import model_testbed, play_model
from ipvsload.simulate.play_summary import play_summary

SCENARIO = parse_scenario(TEXT := """
name: auto
schedulers: [lc, rr]
baseline: rr
measures: ["latency_mean{class=work}"]
service: {servers: 2, capacity: {workers: 2}}
traffic:
  work: {request: "GET /delay/{work}", work: exponential 40ms, rate: 60, arrivals: poisson,
         duration: 1s}
timeline: [{start: work, until: done}]
""", "auto.yaml")  # fmt: skip


class Interrupting(BlocksTold):
    """Somebody presses Ctrl-C while the third block is looked at."""

    def __init__(self, said: list[str], testbed: ModelTestbed) -> None:
        super().__init__(said.append)
        self._said, self._testbed = said, testbed

    def block_over(self, words: str) -> None:
        super().block_over(words)
        if len(self._said) == 3:
            self._testbed.time.put(InvalidRunError("interrupted"))


def auto(
    directory: Path, precision: float, most: int, *, interrupted: bool = False
) -> tuple[Recording, list[str]]:
    testbed = model_testbed(SCENARIO)
    said: list[str] = []
    writer = RunWriter(
        directory, scenario_text=TEXT, scenario="auto", testbed="model", origin_unix_us=0
    )
    rule = PrecisionRule(directory, SCENARIO, SCENARIO.schedulers, precision)
    progress = Interrupting(said, testbed) if interrupted else BlocksTold(said.append)
    play_model(SCENARIO, testbed, writer, SCENARIO.schedulers, most, rule, progress)
    return read(directory), said


def test_blocks_are_played_until_intervals_are_narrow(tmp_path: Path) -> None:
    recording, said = auto(tmp_path / "run", 0.035, 40)
    (planned,) = recording.of_type(BlocksPlanned)
    assert (planned.columns, planned.most, planned.precision) == (["lc", "rr"], 40, 0.035)
    (ended,) = recording.of_type(BlocksEnded)
    assert LEAST_BLOCKS < ended.blocks < 40
    assert len(recording.runs) == 2 * ended.blocks
    assert len(said) == ended.blocks
    assert "not wider than +- 3.5 %" in ended.reason
    assert said[-1].startswith(f"{ended.blocks} blocks: the widest interval is +- ")
    assert "latency_mean{class=work} of lc against rr" in said[-1]
    results = evaluate(recording, SCENARIO)
    assert results.verdict == "held"
    (note,) = results.notes
    assert ended.reason in note
    assert results.to_json()["notes"] == (note,)

    summarized: list[str] = []
    summary = play_summary(
        SCENARIO, SCENARIO.schedulers, 40, precision=0.035, block_over=summarized.append
    )
    assert len(summary.runs) == len(recording.runs)
    assert len(summarized) == len(said)
    assert summary.notes[0].startswith(f"--repeats auto ended after {ended.blocks} blocks")


def test_at_the_limit_it_ends_and_says_how_wide_they_are(tmp_path: Path) -> None:
    recording, _ = auto(tmp_path / "run", 0.001, 10)
    (ended,) = recording.of_type(BlocksEnded)
    assert ended.blocks == 10
    assert ended.reason.startswith("the limit of 10 blocks was reached; the widest interval is +-")
    assert recording.ends == ()


def test_an_interruption_between_two_blocks_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(InvalidRunError, match="interrupted"):
        auto(tmp_path / "run", 0.05, 40, interrupted=True)
    recording = read(tmp_path / "run")
    assert len(recording.runs) == 6
    assert recording.of_type(BlocksEnded) == []
    assert "interrupted" in recording.ends[0]
    assert evaluate(recording, SCENARIO).verdict == "invalid"


def test_a_baseline_that_is_left_out_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert [one.label for one in wanted_variants(["lc"], SCENARIO)] == ["lc"]
    assert capsys.readouterr().err == "the baseline rr is not run: lc takes its place\n"
    wanted_variants([], SCENARIO)
    wanted_variants(["rr"], SCENARIO)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--repeats", "some"), "'some' is neither a number from 1 to 1000 nor 'auto'"),
        (("--repeats", "0"), "'0' is neither a number from 1 to 1000 nor 'auto'"),
        (("--precision", "5%"), "--precision says when --repeats auto ends"),
        (("--max-repeats", "20"), "--max-repeats says when --repeats auto ends"),
        (("--repeats", "auto", "--precision", "0.05"), "'0.05' is no percentage such as 5%"),
        (("--repeats", "auto", "--max-repeats", "9"), "9 is not in the range 10<=x<=1000"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: tuple[str, ...], told: str) -> None:
    with pytest.raises((click.UsageError, UsageError)) as refused:
        cli.main(["simulate", "skew", *words], standalone_mode=False)
    error = refused.value
    text = error.format_message() if isinstance(error, click.UsageError) else str(error)
    assert told in text
