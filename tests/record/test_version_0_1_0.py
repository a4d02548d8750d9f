"""A directory that version 0.1.0 recorded gives the same results as it did then.

The kernel behind it was real. It stands for every earlier record that somebody
keeps: later versions may add to results.json, but what was in it must stay.
"""

import json
from pathlib import Path
from typing import Any

from ipvsload.record import codec
from ipvsload.record.reader import read
from ipvsload.report.write import load_results, write_reports

RECORDED = Path(__file__).parent / "version_0_1_0"


def kept(old: Any, new: Any, path: str = "") -> None:
    """Everything in `old` is in `new`, with the same value; `new` may have further keys."""
    if isinstance(old, dict):
        assert isinstance(new, dict), path
        for key, value in old.items():
            assert key in new, f"{path}.{key}"
            kept(value, new[key], f"{path}.{key}")
    elif isinstance(old, list):
        assert isinstance(new, list), path
        assert len(old) == len(new), path
        for place, (a, b) in enumerate(zip(old, new, strict=True)):
            kept(a, b, f"{path}[{place}]")
    else:
        assert old == new, path


def copy(directory: Path) -> Path:
    for file in RECORDED.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    return directory


def test_its_results_are_the_same(tmp_path: Path) -> None:
    old = json.loads((RECORDED / "results.json").read_text())
    recording, results = load_results(copy(tmp_path))
    assert old["verdict"] == results.verdict == "held"
    kept(old, json.loads(json.dumps(results.to_json())))
    page = write_reports(recording, results)
    assert "scale to 2" in page.read_text()
    kept(old, json.loads((tmp_path / "results.json").read_text()))


def test_its_lines_are_written_as_they_were() -> None:
    runs = read(RECORDED).runs
    for name, encoded in (
        ("events", [codec.encode_event(one) for run in runs for one in run.events]),
        ("samples", [codec.encode_sample(one) for run in runs for one in run.samples]),
    ):
        lines = (RECORDED / f"{name}.ndjson").read_text().splitlines(keepends=True)
        assert len(encoded) > 30
        assert encoded == lines[1 : len(encoded) + 1]


def test_its_requests_are_what_its_lines_say() -> None:
    _, *lines = (RECORDED / "requests.ndjson").read_text().splitlines()
    found = [one for run in read(RECORDED).runs for one in run.requests]
    assert len(found) > 30
    assert [list(one[:12]) for one in found] == list(map(json.loads, lines))
