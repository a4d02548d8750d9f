"""What the model says of the kernel's choices, as rows and sentences that all reports share.

Where the order of events is known, a choice that is not the model's is a fault of ours or of the
kernel: it may not hide in a table.
"""

from collections.abc import Iterator, Sequence

from ipvsload.report.wording import DASH, figure, plural
from ipvsload.results.prediction import Prediction
from ipvsload.results.results import Results, RunResult, SchedulerSummary


def prediction_rows(columns: Sequence[SchedulerSummary]) -> Iterator[tuple[str, list[str]]]:
    """Label and cells of each row: how many choices are the model's, over the column's runs.

    What is none of its choices is "mismatched" where packets gave the order, and "unexplained"
    where it is not certain. That a simulation agrees with its own model is not said.
    """
    told = [column.prediction for column in columns]
    found = [one if one and not one.trivial else None for one in told]
    known = [one for one in found if one]
    if not known:
        return
    several = any(one.repeats > 1 for one in columns)
    yield "matched in all runs" if several else "matched", [_of_all(one) for one in found]
    if any(one.consistent for one in known):
        yield "consistent", [figure(one.consistent) if one else DASH for one in found]
    for label, certain in (("mismatched", True), ("unexplained", False)):
        mine = [one if one and one.certain == certain else None for one in found]
        if any(one and (one.mismatched or not certain) for one in mine):
            yield label, [figure(one.mismatched) if one else DASH for one in mine]


def matched(prediction: Prediction | None) -> str:
    """How many choices are the model's, as "matched 110 of 110"; "" where that is trivial."""
    if prediction is None or prediction.trivial:
        return ""
    parts = [f"matched {_of_all(prediction)}"]
    if prediction.consistent:
        parts.append(f"consistent {figure(prediction.consistent)}")
    if prediction.mismatched or not prediction.certain:
        word = "mismatched" if prediction.certain else "unexplained"
        parts.append(f"{word} {figure(prediction.mismatched)}")
    return ", ".join(parts)


def surprises(results: Results, of: RunResult | None = None) -> list[str]:
    """A sentence for each run with choices that the model does not make, and how to see them.

    `of` is the one run to speak of.
    """
    runs = results.runs if of is None else (of,)
    told = [(run, _surprise(run)) for run in runs]
    return [f"run {run.number} ({run.label}): {words}" for run, words in told if words]


def _surprise(run: RunResult) -> str:
    found = run.prediction
    if found is None or not found.mismatched:
        return ""
    choices = f"{figure(found.mismatched)} of {plural(found.connections, 'choice')}"
    see = f"ipvsload explain DIR --run {run.number} --mismatches"
    if found.certain:
        verb = "is" if found.mismatched == 1 else "are"
        whose = "ipvsload" if found.simulated else "ipvsload or of the kernel"
        return (
            f"{choices} {verb} not what the rule of {run.scheduler} says, a fault of {whose}: {see}"
        )
    times = "packets" if found.witness else "requests"
    fit = "fits" if found.mismatched == 1 else "fit"
    return (
        f"{choices} {fit} the rule of {run.scheduler} in no order that the times of {times} allow,"
        f" and {'is' if found.mismatched == 1 else 'are'} unexplained: {see}"
    )


def _of_all(prediction: Prediction | None) -> str:
    if prediction is None:
        return DASH
    return f"{figure(prediction.matched)} of {figure(prediction.connections)}"
