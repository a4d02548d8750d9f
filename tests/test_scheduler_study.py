"""`make study`: what is played, kept, tested and written, on parts of it that take seconds."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scheduler_study.grid import BLOCKS, grid, quick_grid
from benchmarks.scheduler_study.kept_cells import Row, read_rows, told
from benchmarks.scheduler_study.kernel_cell import KernelCell, kernel_cells, quick_kernel_cells
from benchmarks.scheduler_study.kernel_checks import KernelStudy, agreement
from benchmarks.scheduler_study.kernel_part import (
    KERNEL,
    MODEL,
    KernelRow,
    played_by,
    read_kernel_rows,
    too_few,
)
from benchmarks.scheduler_study.leaving_effects import Study
from benchmarks.scheduler_study.model_player import Block, Measured, play
from benchmarks.scheduler_study.study_cell import Column
from benchmarks.scheduler_study.study_pages import write_pages
from benchmarks.scheduler_study.study_sentences import ContradictionError, holds
from benchmarks.scheduler_study.study_words import times, with_interval
from ipvsload.scenario.load import load

STUDY = (sys.executable, "-m", "benchmarks.scheduler_study")
ROOT = Path(__file__).parents[1]


def study_command(here: Path, *words: str) -> list[str]:
    return [*STUDY, "model", "--kept", str(here / "kept"), "--docs", str(here / "docs"), *words]


def run_study(here: Path, *words: str) -> str:
    command = study_command(here, *words)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_second_start_goes_on_and_comes_to_the_same_data(tmp_path: Path) -> None:
    data = tmp_path / "docs" / "data" / "model.csv"
    assert run_study(tmp_path, "--quick").splitlines()[0] == "model: 10 cells"
    first = data.read_bytes()
    kept = sorted((tmp_path / "kept" / "model").iterdir())
    kept[3].unlink()
    data.unlink()
    begun = {path: path.stat().st_mtime_ns for path in kept if path.exists()}
    told = run_study(tmp_path, "--quick", "pages")
    assert told.splitlines()[0] == "model: 10 cells, 9 of them there already"
    assert {path: path.stat().st_mtime_ns for path in begun} == begun
    assert data.read_bytes() == first
    assert "| 10 | 0.9 | heavy-tailed | 10 | 100 | equal | none | settled |" in told


def test_interrupted_it_says_how_to_go_on(tmp_path: Path) -> None:
    command = study_command(tmp_path, "--processes", "2")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == f"model: {len(grid())} cells\n"
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
    assert running.returncode == 130
    assert f"interrupted: what is over is kept in {tmp_path / 'kept'}; start again" in rest


def short(**changes: object) -> list[tuple[Column, int, Measured]]:
    cell = replace(quick_grid()[1], blocks=1, **changes)  # type: ignore[arg-type]
    return list(play(cell))


def test_with_equal_weights_two_schedulers_are_others() -> None:
    found = {column.label: measured for column, _, measured in short(nodes=10)}
    assert found["wlc"] == found["lc"]
    assert found["nq"] == found["sed"]
    assert len({found[name] for name in ("random", "rr", "lc", "sed", "mh")}) == 5


def test_a_costly_connection_makes_its_pod_slower() -> None:
    usual = quick_grid()[1]
    older = replace(usual, held="costly scale-out")
    assert older.rate == pytest.approx(usual.rate * 0.8)
    rr = Column("rr", "rr")
    # The older half has 0.6 of its capacity left, where all together have 0.8.
    assert Block(older, 1).play(rr).busiest == pytest.approx(0.9 * 0.8 / 0.6, rel=0.05)


def test_there_are_blocks_enough_for_all_tests() -> None:
    tested = sum(
        3 for cell in grid() for one in cell.columns if one.label != "random" and not one.blocks
    )
    assert tested * 2 / 2**BLOCKS < 0.05
    assert len({told(cell) for cell in grid()}) == len(grid())


def rows_of(cell: Sequence[tuple[str, Sequence[float]]]) -> list[Row]:
    key = ("10", "0.9", "exponential", "10", "100", "equal", "none", "settled")
    return [
        Row(key, scheduler, block, Measured(ms / 3, ms / 2, ms, 0.9))
        for scheduler, every in cell
        for block, ms in enumerate(every, 1)
    ]


def test_what_leaving_costs_is_chance_over_the_scheduler() -> None:
    own = [100.0 + block for block in range(16)]
    study = Study(rows_of([("random", [2.5 * ms for ms in own]), ("lc", own)]))
    effect = study.effect("lc", nodes=10, load=0.9)
    assert effect.ratio == pytest.approx(2.5)
    assert effect.verdict == "greater"
    assert effect.p_holm == pytest.approx(3 * 2 / 2**16)
    assert with_interval(effect) == "2.5x [2.5, 2.5]"
    assert not study.overloads(study.key(nodes=10, load=0.9), "lc")


def test_ratios_are_written_with_two_digits() -> None:
    told = [times(one) for one in (0.04321, 0.8512, 1.0, 1.618, 2.449, 12.3, 1234.5)]
    assert told == ["0.04x", "0.85x", "1.00x", "1.62x", "2.4x", "12x", "1,234x"]


@pytest.mark.parametrize("cell", kernel_cells(), ids=lambda cell: cell.name)
def test_a_cell_of_the_kernel_is_a_scenario(cell: KernelCell, tmp_path: Path) -> None:
    path = tmp_path / "cell.yaml"
    path.write_text(cell.scenario())
    scenario = load(path)
    assert tuple(one.label for one in scenario.schedulers) == cell.schedulers
    assert scenario.service.directors == cell.directors


def test_runs_are_read_from_results(tmp_path: Path) -> None:
    (cell,) = quick_kernel_cells()
    rows = list(played_by(cell, MODEL, "simulate", *cell.simulated_with))
    assert [(row.source, row.scheduler, row.block) for row in rows] == [
        (MODEL, "iptables", 1),
        (MODEL, "lc", 1),
    ]
    assert all(0 < row.p50 < row.p95 <= row.p99 for row in rows)
    assert too_few(cell, rows) == ""
    assert too_few(cell, rows[:1]).startswith("too few valid runs (lc 0 of 1)")


def test_the_model_is_inside_of_the_kernels_interval_or_not() -> None:
    rows = []
    for block in range(1, 9):
        for source, factor in ((KERNEL, 1.0), (MODEL, 1.001)):
            for scheduler, ms in (("iptables", 200 + block), ("lc", 100 + block)):
                far = 2 if source == MODEL and scheduler == "lc" else 1
                values = [ms * part * factor * far for part in (0.3, 0.7, 1)]
                rows.append(KernelRow("1-exponential", source, scheduler, block, *values))
    found = KernelStudy(rows)
    inside = {(one.scheduler, one.percentile): one.inside for one in found.beside}
    assert inside == {
        (scheduler, percentile): scheduler == "iptables"
        for scheduler in ("iptables", "lc")
        for percentile in ("p50", "p95", "p99")
    }
    assert [(one.scheduler, one.inside) for one in found.leaving] == [("lc", False)]
    assert agreement(found)["figures"] == "6"
    assert agreement(found)["inside"] == "3"


def test_data_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "kernel.csv"
    path.write_text("cell,source,scheduler,block,p50,p95,p99\n1-even,kernel,rr,2,1.5,2,3.25\n")
    assert list(read_kernel_rows(path)) == [KernelRow("1-even", "kernel", "rr", 2, 1.5, 2, 3.25)]


def test_a_sentence_that_the_data_contradict_stops_the_command() -> None:
    assert holds(True, "of use") == ""
    with pytest.raises(ContradictionError, match="write it anew: of use"):
        holds(False, "of use")


def test_pages_and_figures_are_what_the_data_say(tmp_path: Path) -> None:
    there = ROOT / "docs" / "study"
    answer = write_pages(there / "data", tmp_path)
    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    made_by_playing = {Path("data/model.csv"), Path("data/kernel.csv")}
    kept = {path.relative_to(there) for path in there.rglob("*") if path.is_file()}
    assert written == kept - made_by_playing
    changed = [
        str(one) for one in written if (tmp_path / one).read_bytes() != (there / one).read_bytes()
    ]
    assert changed == []
    assert answer in (there / "index.md").read_text()
    assert answer in " ".join((ROOT / "README.md").read_text().replace("\n> ", "\n").split())


def test_the_data_are_those_of_the_grid() -> None:
    rows = list(read_rows(ROOT / "docs" / "study" / "data" / "model.csv"))
    assert list(dict.fromkeys(row.key for row in rows)) == [told(cell) for cell in grid()]
    assert len(rows) == sum((one.blocks or cell.blocks) for cell in grid() for one in cell.columns)
