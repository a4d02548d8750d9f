"""`make gallery`: the scenarios of docs/gallery/ on the kernel and on the model, side by side.

Run as `python -m benchmarks.gallery [NAME...] [--kernel KERNEL]...`, by default every page.
Each page has two markers. Between them comes a table: what the model predicts without having
seen the kernel, and what was measured. The first marker may name the kernels (else it is
user-mode Linux), and measures of an expectation that the page wants besides:
`<!-- make gallery: begin uml qemu; share{class=short, server=1}; latency_p95{class=short} -->`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.markdown_table import markdown
from benchmarks.played_runs import scheduler_words
from ipvsload.record.reader import read
from ipvsload.report.measure_words import amount, measure_words
from ipvsload.report.wording import DASH
from ipvsload.results.evaluate import run_result
from ipvsload.results.judgement import RunMeasures
from ipvsload.results.predicted_run import predicted_run
from ipvsload.results.recorded_scenario import recorded_scenario
from ipvsload.results.results import RunResult
from ipvsload.scenario.load import load
from ipvsload.scenario.measures import MEASURES
from ipvsload.scenario.measures.base import Measure
from ipvsload.scenario.shipped import shipped_scenarios

PAGES = Path(__file__).parents[1] / "docs" / "gallery"
BEGIN = re.compile(r"<!-- make gallery: begin((?: \w+)*)((?:;[^;>]+)*) -->")
END = "<!-- make gallery: end -->"
PLACES = {
    "uml": "user-mode Linux",
    "qemu": "the director's image",
    "host": "this machine's kernel",
}
"""What a column says of the kernel that was measured."""

AGAIN = 3
"""So often is played again what did not count, as on a machine that has other things to do."""

Cells = Mapping[str, str]
"""What was found in one run, by what it is of."""


class Wanted(NamedTuple):
    """What a page's first marker asks for."""

    kernels: tuple[str, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class Column:
    """What came of a scenario in one place, by label, and lines for below the table.

    `status` is the exit status of `ipvsload`.
    """

    head: str
    cells: Mapping[str, Cells]
    remarks: tuple[str, ...] = ()
    status: int = 0


def main() -> int:
    """Write the table of each page that is asked for. Returns 1 where not all was as expected."""
    asked = argparse.ArgumentParser(description="Write the tables of docs/gallery/.")
    asked.add_argument("names", nargs="*", metavar="NAME", help="pages; by default all of them")
    asked.add_argument(
        "--kernel", action="append", choices=PLACES, help="by default those that the page names"
    )
    given = asked.parse_args()
    unlike = []
    for name in given.names or pages():
        print(f"\n{name}", flush=True)
        page, scenario = PAGES / f"{name}.md", shipped_scenarios()[name]
        want = wanted(page.read_text())
        columns = [played("predicted", scenario, want.measures, "simulate")]
        columns += [
            played(PLACES[kernel], scenario, want.measures, "run", "--kernel", kernel)
            for kernel in given.kernel or want.kernels
        ]
        text = table([one.label for one in load(scenario).schedulers], columns)
        print(text, flush=True)
        page.write_text(filled(page.read_text(), text))
        unlike += [f"{name}, {one.head}: status {one.status}" for one in columns if one.status]
    if unlike:
        print("\nnot as expected:", *unlike, sep="\n", file=sys.stderr)
    return bool(unlike)


def pages() -> list[str]:
    """The scenarios that have a page."""
    return sorted(path.stem for path in PAGES.glob("*.md") if path.stem in shipped_scenarios())


def wanted(page: str) -> Wanted:
    """What the page's first marker names. Raises ValueError where a marker is missing."""
    begin = BEGIN.search(page)
    if begin is None or END not in page[begin.end() :]:
        raise ValueError(f"the page lacks {BEGIN.pattern!r} or {END!r}")
    measures = [Measure.of(text.strip()) for text in begin[2].split(";")[1:]]
    return Wanted(tuple(begin[1].split()) or ("uml",), tuple(measures))


def filled(page: str, text: str) -> str:
    """The page with this between its markers."""
    begin = BEGIN.search(page)
    assert begin is not None
    after = page[begin.end() :].partition(END)[2]
    return f"{page[: begin.end()]}\n\n{text}\n{END}{after}"


def table(labels: Sequence[str], columns: Sequence[Column]) -> str:
    """A row for each label under each figure, and below them what there is to say."""
    rows = [["", "", *(column.head for column in columns)]]
    found = (cells for column in columns for cells in column.cells.values())
    for what in dict.fromkeys(what for cells in found for what in cells):
        first = what
        for label in labels:
            told = [column.cells.get(label, {}).get(what, "") for column in columns]
            if any(told):
                rows.append([first, label, *told])
                first = ""
    remarks = (f"\n{line}\n" for column in columns for line in column.remarks)
    return markdown(rows) + "\n" + "".join(remarks)


def played(head: str, scenario: Path, measures: Sequence[Measure], *command: str) -> Column:
    """What `ipvsload COMMAND SCENARIO` finds: all at once, or one by one where that is refused."""
    labels = [one.label for one in load(scenario).schedulers]
    found, status, refusal = runs(scenario, command)
    remarks = []
    for _ in range(AGAIN if found else 0):
        found = [one for one in found if one[0].valid]
        lacking = [label for label in labels if label not in {run.label for run, _ in found}]
        if not lacking:
            break
        again, status, _ = runs(scenario, [*command, *scheduler_words(lacking)])
        found += again
    if not found:
        for label in labels:
            one, _, refusal = runs(scenario, [*command, "--scheduler", label])
            found += one
            if not one:
                remarks.append(f'No {label} under "{head}": {refusal}')
        status = 0 if found else status
    releases = {run.kernel["release"] for run, _ in found if run.kernel["provider"] != "model"}
    head = " ".join([head, *sorted(releases)])
    cells: dict[str, Cells] = {}
    for run, lookup in found:
        if run.valid:
            cells[run.label] = dict(figures(run, lookup, measures))
        else:
            remarks.append(f"{head}: {run.label} did not count: {'; '.join(run.reasons)}")
    known = [run.prediction for run, _ in found if run.prediction and releases]
    if known:
        same = sum(one.matched + one.consistent for one in known)
        of = sum(one.connections for one in known)
        remarks.append(f"{head}: {same:,} of its {of:,} choices are those of the model.")
    return Column(head, cells, tuple(remarks), status)


def runs(
    scenario: Path, command: Sequence[str]
) -> tuple[list[tuple[RunResult, RunMeasures]], int, str]:
    """The runs that there are, the exit status, and what was said where there are none."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "out")
        name, *words = command
        told = [sys.executable, "-m", "ipvsload", name, str(scenario), "--out", str(out), *words]
        done = subprocess.run(told, capture_output=True, text=True)
        if done.returncode in (2, 3):
            said = done.stderr.strip().splitlines() or ["It did not say why."]
            return [], done.returncode, said[-1].removeprefix("ipvsload: ")
        recording = read(out)
        plan = recorded_scenario(recording)
        return (
            [run_result(run, plan, predicted_run(recording, run, plan)) for run in recording.runs],
            done.returncode,
            "",
        )


def figures(
    run: RunResult, lookup: RunMeasures, measures: Sequence[Measure]
) -> Iterator[tuple[str, str]]:
    """What each row is of, and its cell."""
    counts = [DASH if one.connections is None else str(one.connections) for one in run.servers]
    yield f"connections to {' '.join(map(str, range(1, len(counts) + 1)))}", " ".join(counts)
    requests = sum(traffic.requests for traffic in run.traffic.values())
    failures = sum(traffic.failures for traffic in run.traffic.values())
    yield "failed requests", f"{failures:,} of {requests:,}"
    for measure in measures:
        yield measure_words(str(measure)), amount(lookup(measure), MEASURES[measure.name].unit)


if __name__ == "__main__":
    sys.exit(main())
