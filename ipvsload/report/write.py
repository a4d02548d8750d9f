"""Write all reports of a run directory into it.

A finished run and `ipvsload report` both come here, so a report always comes from the files
and never from live state. Each file is replaced in one step: a reader never sees half a
report, and a failure leaves the old one.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from ipvsload.errors import TestbedError
from ipvsload.record.format import RESULTS
from ipvsload.record.reader import Recording, read
from ipvsload.report import junit, markdown
from ipvsload.report.html import html_report
from ipvsload.results.evaluate import evaluate
from ipvsload.results.recorded_scenario import recorded_scenario
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

    `begins` hears which run is evaluated next, from 1, and of how many.
    """
    recording = read(directory)
    return recording, evaluate(recording, recorded_scenario(recording), begins)


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
