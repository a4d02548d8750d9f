"""Validity with its figures: what was looked at stands there, also where all was well."""

from dataclasses import replace

from ipvsload.record.reader import Recording
from ipvsload.report.html import html_report
from ipvsload.report.validity_rows import ValidityRow, validity_rows
from ipvsload.results.prediction import Prediction
from ipvsload.results.results import Results
from ipvsload.results.sampling import SamplingResult
from ipvsload.results.witness_result import WitnessResult
from tests.report.rendering import results


def rows(found: Results) -> dict[str, ValidityRow]:
    return {row.name: row for row in validity_rows(found)}


def test_runs_that_do_not_count_say_why_each_reason_once(recording: Recording) -> None:
    found = results(recording)
    first, second = found.runs
    bad = (
        replace(first, number=1, valid=False, reasons=("samples are missing",)),
        replace(second, number=2, valid=False, reasons=("samples are missing", "it was stopped")),
    )
    row = rows(replace(found, runs=bad, ends=("it ends too early",)))["runs that count"]
    assert (row.ok, row.told) == (False, "0 of 2")
    assert row.details == (
        "it ends too early",
        "runs 1 (rr), 2 (lc): samples are missing",
        "run 2 (lc): it was stopped",
    )


def test_faults_that_differ_in_their_numbers_are_one_line(recording: Recording) -> None:
    found = results(recording)
    runs = tuple(
        replace(found.runs[0], number=n, valid=False, reasons=(f"short: late by {n} ms",))
        for n in range(1, 10)
    )
    named = ", ".join(f"{n} (rr)" for n in range(1, 7))
    assert rows(replace(found, runs=runs))["runs that count"].details == (
        f"runs {named} and 3 more runs: short: late by 1 ms (the first one's numbers)",
    )


def test_the_latest_of_all_runs_is_told_and_whose_it_is(recording: Recording) -> None:
    found = results(recording)
    late = [{"p50": 0.0, "p99": p99, "max": most} for p99, most in ((0.3, 9.0), (0.5, 2.0))]
    runs = tuple(
        replace(run, traffic={"short": replace(run.traffic["short"], lateness_ms=one)})
        for run, one in zip(found.runs, late, strict=True)
    )
    told = rows(replace(found, runs=runs))["sent late"].told
    assert told == "p99 at most 0.50 ms (short, run 2); max at most 9.00 ms (short, run 1)"
    assert "sent late" not in rows(found)  # nothing was planned


def test_holes_in_the_samples_are_doubtful_from_a_second_on(recording: Recording) -> None:
    found = results(recording)

    def sampled(*holes: float) -> ValidityRow:
        sampling = SamplingResult(100.0, len(holes), max(holes, default=None))
        runs = tuple(replace(run, sampling=sampling) for run in found.runs[:1])
        return rows(replace(found, runs=runs))["samples of the table"]

    assert sampled() == ValidityRow("samples of the table", "one each 0.1 s; none is missing")
    assert sampled(400.0).ok is None
    assert "1 hole, the longest of 0.40 s" in sampled(400.0).told
    assert sampled(400.0, 1200.0).ok is False


def test_choices_and_packets_are_added_up_over_the_runs(recording: Recording) -> None:
    found = results(recording)
    runs = tuple(
        replace(
            run,
            prediction=Prediction(10, 9 - wrong, 1, wrong, True),
            witness=WitnessResult(30, wrong, 450, 0.01, {}),
        )
        for run, wrong in zip(found.runs, (0, 2), strict=True)
    )
    shown = rows(replace(found, runs=runs))
    assert shown["choices of servers"] == ValidityRow(
        "choices of servers",
        "16 of 20 as the model's; 2 in another order that the times allow; 2 not",
        False,
    )
    assert shown["packets at the director"].told.startswith("60 kept, 2 lost")
    assert shown["packets at the director"].ok is False


def test_the_page_has_them_in_one_table_and_the_verdict_only_the_first_reasons(
    recording: Recording,
) -> None:
    found = results(recording)
    reasons = tuple(f"reason {n}" for n in "abcdefgh")
    runs = (replace(found.runs[0], valid=False, reasons=reasons), *found.runs[1:])
    page = html_report.render(replace(found, runs=runs, verdict="invalid"), recording)
    box = page[page.index('<section class="verdict') :]
    box = box[: box.index("</section>")]
    assert "reason d" in box
    assert "reason e" not in box
    assert "and 4 more, under Validity" in box
    table = page[page.index("<h2>Validity") :]
    assert "reason h" in table[: table.index("</section>")]
    assert "doubtful" in table[: table.index("</section>")]
