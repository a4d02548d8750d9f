"""The figures of what the generator did, a row for each run and open class.

Whether a run can be believed stands on top in half a line. This is for those who want to see by
what it was judged; docs/open-workload.md says what each figure means.
"""

from collections.abc import Sequence

from ipvsload.report.wording import DASH, figure, milliseconds
from ipvsload.results.arrival_process import ProcessTest
from ipvsload.results.results import RunResult

MOST_ROWS = 100
"""More are in results.json."""


def arrival_rows(runs: Sequence[RunResult]) -> tuple[list[str], list[list[str]]]:
    """The header and the rows, at most MOST_ROWS; no rows where no class was open."""
    found = [
        (run, name, traffic.arrivals)
        for run in runs
        for name, traffic in run.traffic.items()
        if traffic.arrivals
    ]
    tests = list(dict.fromkeys(_short(test) for _, _, one in found for test in one.tests))
    header = ["class", "verdict", "process", "requests/s, of asked", "late p99, max"]
    rows = []
    for run, name, one in found[:MOST_ROWS]:
        by_name = {_short(test): test for test in one.tests}
        cells = [
            run.label if run.repeat == 1 else f"{run.label}, repeat {run.repeat}",
            name,
            one.verdict,
            one.process,
            f"{figure(one.achieved_rate)} of {figure(one.asked_rate or one.planned_rate)}",
            ", ".join(milliseconds(one.lateness_ms.get(which)) for which in ("p99", "max")),
            *(_effect(by_name.get(test)) for test in tests),
            figure(round(one.steadiness.effective)) if one.steadiness else DASH,
        ]
        rows.append(cells)
    return ["", *header, *tests, "independent"], rows


def _short(test: ProcessTest) -> str:
    return test.test.partition(":")[0]


def _effect(test: ProcessTest | None) -> str:
    """Its effect and how likely chance makes such a one, as "0.01 (p 0.63)"."""
    if test is None:
        return DASH
    return f"{test.effect:.2f}" + ("" if test.p is None else f" ({_chance(test.p)})")


def _chance(p: float) -> str:
    return "p < 0.0001" if p < 0.0001 else f"p {p:.2g}"
