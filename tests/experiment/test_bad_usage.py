"""What bad input gets: a line, an exit status, and nothing started."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HUNG_AFTER_S

SKEW = str(Path(__file__).parents[2] / "scenarios" / "skew.yaml")


def ipvsload(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ipvsload", *words],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )


def test_a_typo_in_a_scenario_has_its_place_and_the_right_word(tmp_path: Path) -> None:
    path = tmp_path / "typo.yaml"
    path.write_text(Path(SKEW).read_text().replace("users: 10", "usres: 10", 1))
    out = tmp_path / "out"
    done = ipvsload("run", str(path), "--out", str(out))
    assert done.returncode == 2
    assert f"{path}:" in done.stderr
    assert "users" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "no-such.yaml"), "no-such.yaml: no such file"),
        (("run", SKEW, "--scheduler", "lcc"), "lcc"),
        (("run", SKEW, "--repeats", "0"), "repeats"),
        (("run", SKEW, "--hz", "500"), "hz"),
        (("lab",), "COMMAND"),
        (("lab", "--servers", "0", "--", "true"), "servers"),
        (("frobnicate",), "frobnicate"),
        (("validate", "/"), "directory"),
        (("report", "/no/such/dir"), "/no/such/dir"),
    ],
)
def test_bad_usage_is_exit_status_2(words: tuple[str, ...], said: str) -> None:
    done = ipvsload(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_directory_in_use_is_exit_status_2_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = ipvsload("run", SKEW, "--out", str(tmp_path))
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_directory_that_cannot_be_made_is_exit_status_2() -> None:
    done = ipvsload("run", SKEW, "--out", "/proc/nothing/here")
    assert done.returncode == 2
    assert "/proc/nothing" in done.stderr


def test_runs_that_begin_in_one_second_have_a_directory_each(tmp_path: Path) -> None:
    code = (
        "import sys; from ipvsload.experiment.run_directory import make_directory\n"
        "sys.stdin.read(1)\nfor _ in range(20): print(make_directory('skew'))"
    )
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for program in programs:
        assert program.stdin
        program.stdin.close()  # all at once
    made: list[str] = []
    for program in programs:
        assert program.stdout
        made += program.stdout.read().split()
        program.stdout.close()
        assert program.wait() == 0
    assert len(set(made)) == len(made) == 80


def test_help_is_quick_to_import() -> None:
    code = "import sys, ipvsload.cli; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"locust", "gevent", "pydantic", "lark", "rich", "pyroute2", "jinja2", "kubernetes"}
    assert not heavy & set(done.stdout.split())
