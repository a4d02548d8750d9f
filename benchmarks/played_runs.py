"""What `ipvsload` measures with a scenario, for those who print figures of it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def played(command: str, scenario: Path, *words: str) -> list[dict[str, Any]]:
    """The runs of results.json after `ipvsload COMMAND SCENARIO WORDS`.

    Runs that do not count are among them: each says so itself. Raises RuntimeError with what
    was said where there are none.
    """
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "out")
        told = ["ipvsload", command, str(scenario), "--out", str(out), *words]
        done = subprocess.run([sys.executable, "-m", *told], capture_output=True, text=True)
        if not (out / "results.json").exists():
            raise RuntimeError(f"{' '.join(told)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        runs: list[dict[str, Any]] = json.loads((out / "results.json").read_text())["runs"]
    if not runs:
        raise RuntimeError(f"{' '.join(told)}: nothing was run: {done.stderr[-2000:]}")
    return runs


def scheduler_words(schedulers: Sequence[str]) -> list[str]:
    """The options that ask for these."""
    return [word for name in schedulers for word in ("--scheduler", name)]


def alike(prediction: dict[str, Any] | None) -> str:
    """How many choices of a run are the model's, for a table."""
    if prediction is None:
        return "no model"
    text = f"{prediction['matched']:,} of {prediction['connections']:,}"
    if prediction["consistent"]:
        text += f", {prediction['consistent']:,} consistent"
    if others := unexplained(prediction):
        text += f", {others:,} not explained"
    return text


def unexplained(prediction: dict[str, Any]) -> int:
    """How many choices are neither the model's nor such as another order would make them."""
    known: int = prediction["matched"] + prediction["consistent"]
    connections: int = prediction["connections"]
    return connections - known
