"""The recipes of docs/recipes.md work: each is followed in a copy, whose new test then passes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "recipes.md").read_text()
RECIPES = dict(re.findall(r"^## Add an? (.*?)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))
_BLOCK = re.compile(r"^ *```python\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def blocks(recipe: str) -> list[str]:
    return [dedent(block) for block in _BLOCK.findall(RECIPES[recipe])]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("ipvsload", "tests"):
        left_out = shutil.ignore_patterns("__pycache__", "version_0_1_0")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    for name in ("scenarios", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def insert(path: Path, after: str, text: str) -> None:
    before = path.read_text()
    assert before.count(after) == 1
    path.write_text(before.replace(after, after + text))


def run(copy: Path, *words: str) -> str:
    command = [sys.executable, "-P", "-m", *words]
    done = subprocess.run(
        command, cwd=copy, env={"PYTHONPATH": str(copy)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("recipe", ["action", "testbed", "kernel for the lab"])
def test_what_is_one_new_file(recipe: str, copy: Path) -> None:
    new = re.findall(r"^(?:1\. |2\. Test, in )`([^`]+)`", RECIPES[recipe], re.MULTILINE)
    for path, text in zip(new, blocks(recipe), strict=True):
        assert not (copy / path).exists()
        (copy / path).write_text(text)
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", new[-1])


def test_a_scheduler(copy: Path) -> None:
    (row,) = blocks("scheduler")
    path = copy / "ipvsload/ipvs/schedulers.py"
    insert(path, "for scheduler in (\n", indent(row.rstrip(), " " * 8) + ",\n")
    assert '"p2c"' in run(copy, "ipvsload", "schema")


def test_a_measure(copy: Path) -> None:
    row, value, test = blocks("measure")
    path = copy / "ipvsload/scenario/measures/traffic_counts.py"
    insert(path, "\nMEASURES = (\n", indent(row.rstrip(), " " * 4) + ",\n")
    text = path.read_text()
    path.write_text(text.replace("\nMEASURES = (\n", f"\n{value}\n\nMEASURES = (\n"))
    new = copy / "tests/record/test_failure_rate.py"
    new.write_text(test)
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", str(new))
