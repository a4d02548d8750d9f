"""What the tests of reports share: a recording's results, and what a terminal shows of them."""

import io
from typing import Any

from rich.console import Console

from ipvsload.record.reader import Recording
from ipvsload.report.terminal_table import print_results
from ipvsload.results.evaluate import evaluate
from ipvsload.results.results import Results
from ipvsload.scenario.load import parse_scenario
from tests.skew_recording import SCENARIO


def results(recording: Recording, text: str = SCENARIO) -> Results:
    return evaluate(recording, parse_scenario(text, "skew.yaml"))


def printed(found: Results, width: int = 100, *, details: bool = True, **options: Any) -> str:
    file = io.StringIO()
    print_results(found, Console(file=file, width=width, **options), details=details)
    return file.getvalue()
