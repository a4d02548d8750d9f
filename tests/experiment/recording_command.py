"""`ipvsload` as a program, and what it left."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.patience import HUNG_AFTER_S

ROOT = Path(__file__).parents[2]
IPVSLOAD = [sys.executable, "-m", "ipvsload"]

ENDLESS = """
name: endless
schedulers: [rr]
traffic: {steady: {users: 4, think: 5ms}}
timeline: [{start: steady}, {wait: 60s}, {stop: steady}]
"""


def run(*words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*IPVSLOAD, *words], capture_output=True, text=True, timeout=HUNG_AFTER_S, **options
    )


def written(directory: Path, text: str) -> str:
    path = directory / "scenario-under-test.yaml"
    path.write_text(text)
    return str(path)


def results(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "results.json").read_text())
    return found
