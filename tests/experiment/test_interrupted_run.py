"""`ipvsload run` against the real kernel, ended by people, by the system, or by what breaks."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.experiment.recording_command import ENDLESS, IPVSLOAD, results, run, written
from tests.leftovers import nothing_left
from tests.patience import HUNG_AFTER_S
from tests.recorded_requests import recorded_requests

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_is_reported_and_leaves_nothing(
    number: signal.Signals, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with nothing_left(f"{os.getpid()}-{number}") as marked:
        process = _started(out, tmp_path, marked.environment)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=HUNG_AFTER_S)
    assert process.returncode == 4
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    found = results(out)
    assert found["verdict"] == "invalid"
    assert found["runs"][0]["servers"][0]["requests"]["steady"] > 0


def test_an_interruption_leaves_the_run_before_whole(tmp_path: Path) -> None:
    text = """
name: brief
schedulers: [rr, lc]
traffic: {steady: {users: 2, think: 5ms}}
timeline: [{start: steady}, {wait: 1s}, {stop: steady}]
"""
    out = tmp_path / "out"
    with nothing_left(f"{os.getpid()}-brief") as marked:
        process = subprocess.Popen(
            [*IPVSLOAD, "run", written(tmp_path, text), "--out", str(out)],
            env=marked.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + HUNG_AFTER_S
        while not any(request.run == 2 for request in recorded_requests(out)):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=HUNG_AFTER_S)
    assert process.returncode == 4
    assert "Traceback" not in stderr
    first, second = results(out)["runs"]
    assert first["valid"], first
    assert not second["valid"]


def test_a_killed_run_can_be_reported(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with nothing_left(f"{os.getpid()}-kill") as marked:
        process = _started(out, tmp_path, marked.environment)
        process.kill()
        process.communicate(timeout=HUNG_AFTER_S)
    done = run("report", str(out))
    assert done.returncode == 4
    assert "recording ends" in done.stdout
    assert results(out)["runs"][0]["traffic"]["steady"]["requests"] > 0


def test_a_director_that_dies_breaks_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with nothing_left(f"{os.getpid()}-director") as marked:
        process = _started(out, tmp_path, marked.environment, "--kernel", "uml")
        os.kill(marked.guest(), signal.SIGKILL)
        _, stderr = process.communicate(timeout=HUNG_AFTER_S)
    assert process.returncode == 3
    assert "Traceback" not in stderr
    assert results(out)["verdict"] == "invalid"


def test_a_full_disk_ends_the_run_with_a_clear_line(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = " ".join([*IPVSLOAD, "run", written(tmp_path, ENDLESS), "--out", f"{disk}/out"])
    script = (
        f"mount -t tmpfs -o size=100k none {disk} && {command}; status=$?;"
        f" {' '.join(IPVSLOAD)} report {disk}/out; exit $status"
    )
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    done = subprocess.run(
        [*unshare, "sh", "-c", script], capture_output=True, text=True, timeout=HUNG_AFTER_S
    )
    assert done.returncode == 4, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def _started(
    out: Path, directory: Path, environment: dict[str, str], *words: str
) -> "subprocess.Popen[str]":
    """A run that has been recording requests for a moment."""
    process = subprocess.Popen(
        [*IPVSLOAD, "run", written(directory, ENDLESS), "--out", str(out), *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + HUNG_AFTER_S
    while len(recorded_requests(out)) < 20:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process
