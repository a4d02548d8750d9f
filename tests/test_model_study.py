"""The scenarios of `make study-model` and of the benches, and the table that is made of runs."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import model_study
from benchmarks.played_runs import alike
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.scenario.load import load

FILES = sorted(Path(model_study.__file__).parent.rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_of_a_bench_can_be_played(path: Path) -> None:
    assert load(path).schedulers


@pytest.mark.parametrize("path", model_study.SCENARIOS, ids=lambda path: path.stem)
def test_the_study_asks_for_every_scheduler(path: Path) -> None:
    assert {one.scheduler for one in load(path).schedulers} == SCHEDULERS.keys()


def run(scheduler: str, *connections: int, law: int = 256) -> dict[str, Any]:
    return {
        "scheduler": scheduler,
        "kernel": {"release": "6.1", "lc_law": law},
        "servers": [{"connections": n, "predicted": {"connections": n}} for n in connections],
        "prediction": {"connections": 601, "matched": 600, "consistent": 0, "mismatched": 1},
    }


def test_a_row_has_what_was_measured_and_predicted() -> None:
    measured = {"uml": {"lc": run("lc", 173, 428)}, "qemu": {"twos": run("twos", 1, 2, law=257)}}
    text = model_study.table(model_study.SCENARIOS[0], measured, {"lc": run("lc", 170, 431)})
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    by_first = {row[0]: row[1:] for row in rows if row}
    assert by_first["lc"] == [
        *("173/428", "173/428", "600 of 601, 1 not explained", "not there", "", "", "170/431"),
    ]
    assert by_first["twos"][:4] == ["not there", "", "", "1/2"]
    assert by_first["scheduler"][0] == "uml: 6.1, law 256"


def test_choices_alike_are_told_in_words() -> None:
    told = {"connections": 20_004, "matched": 20_000, "consistent": 4, "mismatched": 0}
    assert alike(told) == "20,000 of 20,004, 4 consistent"
    assert alike(None) == "no model"


def test_the_tables_replace_what_is_between_the_markers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "model.md"
    page.write_text(f"before\n{model_study.BEGIN}\nold\n{model_study.END}\nafter\n")
    monkeypatch.setattr(model_study, "PAGE", page)
    model_study.write("new")
    model_study.write("newer")
    assert page.read_text() == (f"before\n{model_study.BEGIN}\n\nnewer\n{model_study.END}\nafter\n")
