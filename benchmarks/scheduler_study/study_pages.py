"""The pages, written from the data: every number in them, also those of sentences.

A page is a template in templates/. Each number in it is asked of the data, and where a sentence
claims something, `holds` beside it asks the data, too.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.scheduler_study import (
    grid,
    kernel_cell,
    kernel_checks,
    model_player,
    study_cell,
    study_sentences,
    study_tables,
)
from benchmarks.scheduler_study.kept_cells import read_rows
from benchmarks.scheduler_study.kernel_checks import KernelStudy
from benchmarks.scheduler_study.kernel_part import read_kernel_rows
from benchmarks.scheduler_study.leaving_effects import Study
from benchmarks.scheduler_study.study_cell import KEYS
from benchmarks.scheduler_study.study_figures import draw

TEMPLATES = Path(__file__).with_name("templates")


def write_pages(data: Path, docs: Path) -> str:
    """Write effects.csv, all figures and all pages. Returns the answer in a line.

    `data` has model.csv, and kernel.csv if the kernel was played.
    """
    study = Study(read_rows(data / "model.csv"))
    of_kernel = data / "kernel.csv"
    kernel = KernelStudy(read_kernel_rows(of_kernel)) if of_kernel.exists() else None
    (docs / "data").mkdir(parents=True, exist_ok=True)
    (docs / "data" / "effects.csv").write_text(effects_text(study))
    draw(study, kernel, docs)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.globals.update(
        study=study, kernel=kernel, tables=study_tables, words=study_sentences,
        checks=kernel_checks, grid=grid, cells=study_cell, player=model_player,
        kernel_cell=kernel_cell, holds=study_sentences.holds,
    )  # fmt: skip
    for template in sorted(TEMPLATES.glob("*.md.j2")):
        name = template.name.removesuffix(".j2")
        (docs / name).write_text(environment.get_template(template.name).render())
    return study_sentences.answer(study)


def effects_printed(data: Path) -> str:
    """A row for each cell of the model, for a terminal."""
    study = Study(read_rows(data / "model.csv"))
    return study_tables.every_effect(study, study.cells, KEYS)


def effects_text(study: Study) -> str:
    """All effects, as a table for other programs."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerows(_effect_rows(study))
    return text.getvalue()


def _effect_rows(study: Study) -> Iterator[list[object]]:
    figures = ["ratio", "low", "high", "p_holm", "verdict", "own_ms", "chance_ms", "blocks"]
    yield [*KEYS, "scheduler", "percentile", *figures]
    for (key, scheduler, percentile), effect in study.effects.items():
        *numbers, verdict, own, chance, blocks = effect
        told = [f"{one:.4g}" for one in numbers]
        yield [
            *key, scheduler, percentile, *told, verdict, f"{own:.5g}", f"{chance:.5g}", blocks
        ]  # fmt: skip
