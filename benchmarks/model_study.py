"""`make study-model`: each scheduler on real kernels and on the model, in three scenarios.

Run as `python -m benchmarks.model_study [KERNEL...]`, by default `uml qemu`. Prints the tables
of measured and predicted splits, and writes them into docs/model.md between two markers.
The scenarios are the files in study/.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.markdown_table import markdown
from benchmarks.played_runs import alike, played, scheduler_words
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.scenario.load import load
from ipvsload.testbed.lab.kernels.providers import KERNELS

PAGE = Path(__file__).parents[1] / "docs" / "model.md"
BEGIN, END = "<!-- make study-model: begin -->", "<!-- make study-model: end -->"
STUDY = Path(__file__).with_name("study")
SCENARIOS = tuple(STUDY / f"{name}.yaml" for name in ("serial", "weights", "near-capacity"))

TIMES = "p50/p99, ms"

Runs = dict[str, dict[str, Any]]
"""By scheduler; a scheduler that is not there has none."""


def main() -> None:
    """Print a table for each scenario, and put them all into the page."""
    kernels = sys.argv[1:] or ["uml", "qemu"]
    parts = []
    for scenario in SCENARIOS:
        measured = {kernel: on_kernel(scenario, kernel) for kernel in kernels}
        part = table(scenario, measured, on_model(scenario))
        print(part, flush=True)
        parts.append(part)
    write("\n".join(parts))


def on_kernel(scenario: Path, kernel: str) -> Runs:
    """All schedulers that this kernel has, in one lab."""
    provider = KERNELS[kernel]
    there = [
        name
        for name in SCHEDULERS
        if provider.has_module(SCHEDULERS[name].module, SCHEDULERS[name].option) is not False
    ]
    runs = played("run", scenario, "--kernel", kernel, *scheduler_words(there))
    return {run["scheduler"]: run for run in runs}


def on_model(scenario: Path) -> Runs:
    """All schedulers without a kernel."""
    runs = played("simulate", scenario, *scheduler_words(list(SCHEDULERS)))
    return {run["scheduler"]: run for run in runs}


def table(scenario: Path, measured: dict[str, Runs], simulated: Runs) -> str:
    """A section of the page: what it is, and a row for each scheduler."""
    plan = load(scenario)
    timed = plan.service.capacity is not None
    head = ["scheduler"]
    for kernel, runs in measured.items():
        head += [f"{kernel}: {_release(runs.values())}", "predicted", "choices alike"]
        head += [TIMES] * timed
    rows = [[*head, "simulated", *[TIMES] * timed]]
    for name in SCHEDULERS:
        row = [name]
        for runs in measured.values():
            row += cells(runs.get(name), by_chance=RULES[name].by_chance)
            row += [times(runs.get(name))] if timed else []
        alone = simulated.get(name)
        rows.append([*row, split(alone), *([times(alone)] if timed else [])])
    place = f"`{scenario.relative_to(PAGE.parents[1])}`"
    return f"### {plan.title}\n\nThe scenario is {place}.\n\n{markdown(rows)}\n"


def cells(run: dict[str, Any] | None, *, by_chance: bool) -> list[str]:
    """What the kernel gave each server, what the model would, and how many choices are alike."""
    if run is None:
        return ["not there", "", ""]
    predicted = [server.get("predicted") for server in run["servers"]]
    would = "" if None in predicted else "/".join(str(one["connections"]) for one in predicted)
    return [split(run), would, "drawn" if by_chance else alike(run.get("prediction"))]


def times(run: dict[str, Any] | None) -> str:
    """How long the requests of the only class took."""
    if run is None:
        return ""
    (traffic,) = run["traffic"].values()
    return "/".join(f"{traffic['latency_ms'][name]:.0f}" for name in ("p50", "p99"))


def split(run: dict[str, Any] | None) -> str:
    """Connections of each server, in the order of joining."""
    if run is None:
        return ""
    return "/".join(str(server["connections"]) for server in run["servers"])


def _release(runs: Iterable[dict[str, Any]]) -> str:
    kernels = [run["kernel"] for run in runs]
    (release,) = {kernel["release"] for kernel in kernels}
    laws = {kernel.get("lc_law") for kernel in kernels}
    return f"{release}, law {'/'.join(map(str, laws))}"


def write(text: str) -> None:
    """Replace what stands between the markers of the page."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()
