"""Write all reports of a run directory into it.

A finished run and `ipvsload report` both come here, so a report always comes from the files
and never from live state. Each file is replaced in one step: a reader never sees half a
report, and a failure leaves the old one.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ipvsload.errors import TestbedError
from ipvsload.record.format import KEPT, RESULTS
from ipvsload.record.reader import Recording, read
from ipvsload.report import junit, markdown
from ipvsload.report.html import html_report
from ipvsload.results.comparison import ComparedRecording
from ipvsload.results.comparison_plan import comparison_plan
from ipvsload.results.evaluate import evaluate
from ipvsload.results.kept_recording import KeptRecording
from ipvsload.results.recorded_scenario import recorded_scenario
from ipvsload.results.recording_differences import found_facts
from ipvsload.results.regressions import held_against
from ipvsload.results.results import Results


def write_reports(recording: Recording, results: Results) -> Path:
    """Write every report beside its recording. Returns the path of report.html.

    Raises TestbedError where one cannot be written. The records are not changed.
    """
    write_figures(recording.directory, results)
    page = recording.directory / "report.html"
    _replace(page, html_report.render(results, recording))
    return page


def write_figures(directory: Path, results: Results) -> None:
    """Write the reports that need no record: all but the page. Raises TestbedError."""
    texts = {
        RESULTS: json.dumps(results.to_json(), indent=1) + "\n",
        "junit.xml": junit.render(results),
        "summary.md": markdown.render(results),
    }
    for name, text in texts.items():
        _replace(directory / name, text)


def load_results(
    directory: Path, begins: Callable[[int, int], None] | None = None
) -> tuple[Recording, Results]:
    """Read a recording and evaluate it. Raises UsageError where there is none.

    It is held against a kept one, if it was to be. `begins` hears which run is evaluated next,
    from 1, and of how many.
    """
    recording = read(directory)
    results = evaluate(recording, recorded_scenario(recording), begins)
    return recording, _held_against_kept(recording, results)


def _held_against_kept(recording: Recording, results: Results) -> Results:
    try:
        text = (recording.directory / KEPT).read_bytes()
    except FileNotFoundError:
        return results
    except OSError as error:
        return _not_held(results, error.strerror or "it cannot be read")
    try:
        kept = KeptRecording.of_json(json.loads(text))
    except ValueError:  # FormatError is one, too
        return _not_held(results, "it is damaged")
    this = ComparedRecording.of("", recording, results)
    return held_against(results, kept, found_facts(this), comparison_plan(this.scenario).margin)


def _not_held(results: Results, why: str) -> Results:
    """Nobody knows whether it is worse than the kept recording, and so it does not count."""
    ends = (*results.ends, f"{KEPT}: {why}: what this recording was to be held against is lost")
    return replace(results, ends=ends, verdict="invalid")


def _replace(path: Path, text: str) -> None:
    written = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            written.write_text(text, encoding="utf-8", errors="replace")
            written.replace(path)
        finally:
            written.unlink(missing_ok=True)
    except OSError as error:
        raise TestbedError(f"{path}: cannot write this report: {error.strerror}") from None
