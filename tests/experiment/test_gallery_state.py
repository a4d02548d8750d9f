"""The gallery's scenarios about connections that IPVS remembers, on the real kernel."""

from pathlib import Path

import pytest

from tests.experiment.recording_command import results, run

pytestmark = pytest.mark.kernel


def test_a_removal_loses_what_a_drain_does_not_and_the_notes_say_why(tmp_path: Path) -> None:
    done = run("run", "reload", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    notes = [note for one in results(tmp_path / "out")["runs"] for note in one["notes"]]
    assert sum("a server was taken out of the table while they were idle" in n for n in notes) == 2


def test_ports_that_come_again_follow_their_old_connections(tmp_path: Path) -> None:
    done = run("run", "port-reuse", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    follows = results(tmp_path / "out")["runs"][1]
    # The director's list tells also whom a refused one followed, which it lists no second time.
    assert follows["servers"][0]["requests"]["gone"] == 24
    notes = "\n".join(follows["notes"])
    assert "server 3 joined at" in notes
    assert "server 1 had weight 0 from" in notes


@pytest.mark.parametrize("name", ["dead-affinity", "idle"])
def test_others_hold(name: str, tmp_path: Path) -> None:
    done = run("run", name, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
