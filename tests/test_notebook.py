"""The notebook of the documentation runs over an export, cell after cell."""

import ast
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ipvsload.report.exports.export_recording import export_recording
from ipvsload.report.write import load_results, write_reports
from tests.skew_recording import write_skew

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


def test_its_cells_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = write_skew(tmp_path / "run", repeats=2)
    write_reports(*load_results(directory))
    list(export_recording(directory, "csv", directory / "export", lambda _: None))
    monkeypatch.setenv("EXPORT", str(directory / "export"))
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 4)
    names: dict[str, Any] = {}
    shown = [
        run(cell["source"], names)
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and cell["outputs"] == []
    ]
    charts = [value._repr_svg_() for value in shown if value is not None]
    assert [len(list(ElementTree.fromstring(chart).iter())) for chart in charts] == [6, 6]
    printed = capsys.readouterr().out
    assert "short: p95 in ms, and its difference to rr" in printed
    assert "  lc " in printed


def run(source: list[str], names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last expression, as a notebook shows it."""
    tree = ast.parse("".join(source))
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(compile(tree, str(NOTEBOOK), "exec"), names)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)
    return None
