"""The action for GitHub's workflows: its steps as the runner would play them, in a real bash."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.patience import HUNG_AFTER_S

ROOT = Path(__file__).parents[2]
HERE = ROOT / "deploy" / "github-action"
ACTION: dict[str, Any] = yaml.safe_load((HERE / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
_EXPRESSION = re.compile(r"\$\{\{ (inputs|steps\.run\.outputs)\.([\w-]+) }}")

SCENARIO = """
name: guarded
schedulers: [rr, lc]
service: {servers: 2}
traffic: {short: {request: GET /ip, users: 2, requests: 20}}
timeline: [{start: short, until: done}]
expect: {all: [failures == 0]}
"""
_PIP = """#!/bin/sh
printf '%s\\n' "$*" >> "$ASKED"
[ "$1" != -m ] || [ "$2" != venv ] || {{
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    printf '#!{python}\\nfrom ipvsload.cli import main\\n\\nmain()\\n' > "$3/bin/ipvsload"
    chmod +x "$3/bin/ipvsload"
}}
"""
"""A Python that writes down what it is asked, and makes environments that have this ipvsload."""


class Runner:
    """What GitHub's runner does with a composite action: expressions, files, environment."""

    def __init__(self, directory: Path, **inputs: str) -> None:
        self.directory = directory
        self.asked = directory / "asked"
        self.summary, self._output = directory / "summary", directory / "output"
        given = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
        python = self._program("python-here", _PIP.format(python=sys.executable))
        self._given = given | {"python": str(python), "kernel": "model"} | inputs
        self._program("dpkg-query", "#!/bin/sh\necho unknown\n")
        self._program("apt-get", '#!/bin/sh\necho "apt-get $*" >> "$ASKED"\n')
        self._program("sudo", '#!/bin/sh\nexec "$@"\n')
        for path in (self.asked, self.summary, self._output):
            path.touch()

    def _program(self, name: str, text: str) -> Path:
        path = self.directory / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def outputs(self) -> dict[str, str]:
        """What the steps have said, in both of GitHub's forms."""
        found, lines = {}, iter(self._output.read_text().splitlines())
        for line in lines:
            name, mark, rest = line.partition("<<")
            if not mark:
                name, _, found[name] = line.partition("=")
                found[name] = line.partition("=")[2]
                continue
            value = []
            while (line := next(lines)) != rest:
                value.append(line)
            found[name] = "\n".join(value)
        return found

    def play(self, name: str) -> "subprocess.CompletedProcess[str]":
        """The step of this name, with the words that runners give bash."""
        (step,) = (one for one in STEPS if one["name"] == name)
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.directory,
            env={
                **os.environ,
                "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "ASKED": str(self.asked),
                "GITHUB_ACTION_PATH": str(HERE),
                "GITHUB_OUTPUT": str(self._output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "RUNNER_TEMP": str(self.directory / "temp"),
                **self._environment(step),
            },
            capture_output=True,
            text=True,
            timeout=HUNG_AFTER_S,
        )

    def _environment(self, step: Mapping[str, Any]) -> dict[str, str]:
        known = {"inputs": self._given, "steps.run.outputs": self.outputs()}
        return {
            name: _EXPRESSION.sub(lambda found: known[found[1]].get(found[2], ""), value)
            for name, value in step.get("env", {}).items()
        }


def played(directory: Path, **inputs: str) -> tuple[Runner, int]:
    """All of it, and what the job then ends with."""
    runner = Runner(directory, **inputs)
    for name in ("Install ipvsload", "Run the scenario"):
        done = runner.play(name)
        assert done.returncode == 0, done.stderr
    return runner, runner.play("Verdict").returncode


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (0, ("", "")),
        (1, ("failures == 0", "failures == 1")),
        (2, ("users: 2", "usres: 2")),
        (4, ("until: done", "until: servers == 2, within: 1s}, {wait: failures > 0, within: 1s")),
    ],
)
def test_the_job_ends_with_the_exit_status(
    tmp_path: Path, status: int, change: tuple[str, str]
) -> None:
    (tmp_path / "guarded.yaml").write_text(SCENARIO.replace(*change))
    runner, ended = played(tmp_path, scenario="guarded.yaml", repeats="2", schedulers="rr\nlc")
    assert ended == status
    assert runner.outputs() == {"status": str(status), "report": "ipvsload-report"}
    summary = runner.summary.read_text()
    if status == 2:
        assert "exit status 2 and left no report" in summary
    else:
        assert summary == (tmp_path / "ipvsload-report" / "summary.md").read_text()
        assert (tmp_path / "ipvsload-report" / "report.html").is_file()


def test_a_kept_recording_is_held_against_it(tmp_path: Path) -> None:
    (tmp_path / "guarded.yaml").write_text(SCENARIO)
    common = {"scenario": "guarded.yaml", "repeats": "10", "schedulers": "rr"}
    assert played(tmp_path, out="kept", **common)[1] == 0
    against = {"fail-on-regression": "kept"}
    runner, ended = played(tmp_path, out="new", **common, **against)
    assert ended == 0
    assert "worse than in kept, as far as can be told" in runner.summary.read_text()


def test_what_a_workflow_passes_is_never_run(tmp_path: Path) -> None:
    told = "$(touch pwned) `touch pwned` \"; touch pwned; '\ntouch pwned #"
    inputs = {"scenario": told, "out": told, "fail-on-regression": told, "repeats": "--version"}
    runner, ended = played(tmp_path, **inputs)
    assert ended == 2
    assert runner.outputs()["report"] == told
    assert not list(tmp_path.rglob("pwned"))
    for step in STEPS:
        assert "${{" not in step.get("run", "")


def test_all_inputs_are_used_and_known() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", (HERE / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])
    ids = {one["id"] for one in STEPS if "id" in one}
    assert {found[1] for found in re.finditer(r"steps\.(\w+)\.", str(ACTION))} == ids


@pytest.mark.parametrize("requirement", ["", "ipvsload==0.2.0"])
def test_it_installs_itself_or_what_is_asked_for(tmp_path: Path, requirement: str) -> None:
    runner = Runner(tmp_path, requirement=requirement)
    assert runner.play("Install ipvsload").returncode == 0
    asked = runner.asked.read_text().splitlines()
    assert asked[0] == f"-m venv {tmp_path / 'temp' / 'ipvsload'}"
    assert asked[1].startswith("-m pip install ")
    itself = f"-c {ROOT / 'constraints.txt'} -- {ROOT}"
    assert asked[1].endswith(f"-- {requirement}" if requirement else itself)
    assert len(asked) == 2  # and no package: the model needs none


def test_it_installs_what_the_lab_needs(tmp_path: Path) -> None:
    runner = Runner(tmp_path, kernel="auto")
    assert runner.play("Install ipvsload").returncode == 0
    asked = [line for line in runner.asked.read_text().splitlines() if line.startswith("apt-get")]
    assert asked[0] == "apt-get update -qq"
    packages = {word for line in asked[1:] for word in line.split()[2:] if word[0] != "-"}
    makefile = (ROOT / "Makefile").read_text()
    (lab,) = re.findall(r"(?m)^PACKAGES := \$\(if .*?,(user-mode-linux)\) (.*)$", makefile)
    # ab is for `ipvsload lab` only.
    assert packages == {lab[0], *lab[1].split()} - {"apache2-utils"}
