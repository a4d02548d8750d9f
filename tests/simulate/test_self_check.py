"""`--self-check`: a scheduler against itself on the model, and what reports say of it again."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipvsload.cli import cli
from ipvsload.errors import UsageError
from ipvsload.record.events import SelfCheckPlanned
from ipvsload.record.reader import read

SCENARIO = """
name: itself
schedulers: [rr, {scheduler: lc, label: mine}]
service: {servers: 2, capacity: {workers: 1}}
traffic:
  work: {request: "GET /delay/{work}", work: exponential 30ms, users: 4, requests: 40}
timeline:
  - start: work
  - wait: done
expect:
  all: [failures == 1]
  mine: [failures == 2]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "itself.yaml"
    path.write_text(SCENARIO)
    return path


def command(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], standalone_mode=False)


def test_a_scheduler_against_itself_and_the_same_again_from_the_record(
    file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = command("simulate", file, "--self-check", 3, "--repeats", 6, "--scheduler", "mine",
                   "--out", out)  # fmt: skip
    # Nothing is expected but that they are alike, whatever the scenario expects.
    assert done.return_value == 0, done.output
    found = json.loads((out / "results.json").read_text())
    check = found["self_check"]
    told = [check[key] for key in ("label", "again", "blocks", "asked", "comparisons", "left_out")]
    assert told == ["mine", "mine-again", 6, 3, 3, 0]
    assert f"{check['alarms']} false alarm" in done.stdout
    assert len(found["runs"]) == 36
    # Each has arrivals and work of its own: the model would make the same run of both.
    p95 = {(run["label"], run["repeat"]): run["traffic"]["work"]["latency_ms"]["p95"]
           for run in found["runs"]}  # fmt: skip
    assert len(set(p95.values())) == 36
    (event,) = read(out).of_type(SelfCheckPlanned)
    assert event == SelfCheckPlanned(0, 0, "mine", "mine-again", 3, 6, apart=True)
    again = command("report", out)
    assert again.stdout == done.stdout
    assert json.loads((out / "results.json").read_text()) == found
    for name in ("mine against itself", "3 comparisons of 6 blocks"):
        assert name in (out / "summary.md").read_text()


def test_by_default_it_is_the_first_one_in_ten_blocks(file: Path, tmp_path: Path) -> None:
    command("simulate", file, "--self-check", 1, "--out", tmp_path / "out")
    (event,) = read(tmp_path / "out").of_type(SelfCheckPlanned)
    assert (event.label, event.again, event.blocks) == ("rr", "rr-again", 10)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scheduler", "rr", "--scheduler", "mine"), "name one --scheduler"),
        (("--summary",), "needs a record"),
    ],
)
def test_what_does_not_go_together(words: tuple[str, ...], said: str, file: Path) -> None:
    done = command("simulate", file, "--self-check", 1, *words)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
