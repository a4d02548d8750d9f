"""`ipvsload simulate`: a scenario without a kernel, as a user types it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from ipvsload.cli import cli
from ipvsload.errors import UsageError
from tests.patience import HUNG_AFTER_S
from tests.simulate.played import played

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def simulate(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ipvsload", "simulate", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_shipped_scenario_is_simulated_by_its_name(tmp_path: Path) -> None:
    done = simulate("skew", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "simulated: " in done.stdout
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["verdict"] == "held"
    assert [run["kernel"]["provider"] for run in results["runs"]] == ["model", "model"]
    rr, lc = ([s["requests"]["short"] for s in run["servers"]] for run in results["runs"])
    assert (rr, lc) == ([50, 50], [0, 100])
    # Its packets are kept, too, and a replay of them comes to the same choices.
    told = [(run["prediction"]["matched"], run["prediction"]["witness"]) for run in results["runs"]]
    assert told == [(110, True), (110, True)]
    for name in ("report.html", "junit.xml", "summary.md", "samples.ndjson", "scenario.yaml"):
        assert (tmp_path / "out" / name).stat().st_size


def test_a_simulation_is_the_same_each_time(tmp_path: Path) -> None:
    text = (SCENARIOS / "slow-server.yaml").read_text().replace("duration: 12s", "duration: 3s")
    for name in ("one", "two"):
        played(tmp_path / name, text)
    paths = (path for path in (tmp_path / "one").rglob("*") if path.is_file())
    recorded = sorted(str(path.relative_to(tmp_path / "one")) for path in paths)
    assert {"occupancy.ndjson", "packets/1.npy"} <= set(recorded)
    for file in recorded:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.yaml")))
def test_every_shipped_scenario_holds_on_the_model(name: str, tmp_path: Path) -> None:
    path = SCENARIOS / f"{name}.yaml"
    _, results = played(tmp_path / "run", path.read_text())
    missed = [one for run in results.runs for one in run.expectations if not one.held]
    assert (results.verdict, missed) == ("held", []), [run.reasons for run in results.runs]
    replayed = [run.prediction for run in results.runs if run.prediction is not None]
    assert [one.mismatched for one in replayed] == [0] * len(replayed)


LONG = """
name: long
schedulers: [rr, lc]
traffic: {load: {users: 2, think: 1ms}}
timeline:
  - start: load
  - wait: 10h
  - stop: load
"""


def test_an_interruption_leaves_a_record_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(LONG)
    command = [sys.executable, "-m", "ipvsload", "simulate", "long.yaml", "--out", "out"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        requests = tmp_path / "out" / "requests.columns"
        deadline = time.monotonic() + HUNG_AFTER_S
        while not (requests.exists() and requests.stat().st_size > 10_000):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=HUNG_AFTER_S)
    assert (process.returncode, told) == (4, "ipvsload: interrupted\n")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (results["verdict"], results["runs"][0]["reasons"]) == ("invalid", ["interrupted"])


def test_what_cannot_be_simulated_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    (tmp_path / "bad.yaml").write_text("name: bad\nschedulers: [rrr]\n")
    for arguments, told in (
        (["skwe"], "did you mean 'skew'"),
        (["none.yaml"], "none.yaml: no such file"),
        (["bad.yaml"], "bad.yaml:2:14: "),
        (["even", "--out", "used"], "used: there is something in this directory"),
        (["even", "--scheduler", "lcc"], "--scheduler 'lcc' is neither a label"),
        (["unequal", "--servers", "5"], "take a multiple of 4"),
        (["even", "--scheduler", "nftables-hash"], "the nearest is 'nftables'. It has rr, wrr"),
        (["even", "--servers", "100000", "--directors", "1000"], "up to 5,000,000"),
    ):
        refused = CliRunner().invoke(cli, ["simulate", *arguments]).exception
        assert isinstance(refused, UsageError)
        assert told in str(refused)


MACOS = """
import os, socket, sys
for module, names in {
    os: ("pidfd_open", "timerfd_create", "sched_getaffinity", "memfd_create", "eventfd"),
    socket: ("AF_PACKET", "AF_NETLINK", "AF_VSOCK"),
}.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
sys.argv = ["ipvsload", "simulate", "even", "--out", "out"]
from ipvsload.cli import main
try:
    main()
finally:
    print(sorted(HIDDEN & set(sys.modules)), file=sys.stderr)
"""
HIDDEN = {
    "gevent", "locust", "kubernetes", "pyroute2", "httptools", "flask", "greenlet",
    "geventhttpclient", "ssl", "_ssl",
}  # fmt: skip


def test_it_needs_nothing_that_only_linux_or_the_real_load_has(tmp_path: Path) -> None:
    script = f"HIDDEN = {HIDDEN!r}\n{MACOS}"
    environment = {**os.environ, "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True,
        env=environment, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (0, ["[]"]), done.stderr
    assert (tmp_path / "out" / "results.json").exists()
