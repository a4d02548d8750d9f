"""The gallery's scenarios about connections that IPVS remembers, on the real kernel."""

from pathlib import Path
from typing import Any

import pytest

from tests.experiment.recording_command import results, run

pytestmark = pytest.mark.kernel


def held(name: str, directory: Path) -> list[dict[str, Any]]:
    """The runs of a shipped scenario, all of whose expectations held.

    What it counts is the same on a machine that is too busy for its latencies to count.
    """
    done = run("run", name, "--out", str(directory / "out"))
    assert done.returncode in (0, 4), done.stdout + done.stderr
    runs: list[dict[str, Any]] = results(directory / "out")["runs"]
    for one in runs:
        assert one["expectations"]
        assert [it for it in one["expectations"] if not it["held"]] == [], one["reasons"]
        assert [why for why in one["reasons"] if not why.startswith("generator held up")] == []
    return runs


def test_a_removal_loses_what_a_drain_does_not_and_the_notes_say_why(tmp_path: Path) -> None:
    notes = [note for one in held("reload", tmp_path) for note in one["notes"]]
    assert sum("a server was taken out of the table while they were idle" in n for n in notes) >= 1


def test_ports_that_come_again_follow_their_old_connections(tmp_path: Path) -> None:
    follows = held("port-reuse", tmp_path)[1]
    # The director's list tells also whom a refused one followed, which it lists no second time.
    assert follows["servers"][0]["requests"]["gone"] == 24
    notes = "\n".join(follows["notes"])
    assert "server 3 joined at" in notes
    assert "server 1 had weight 0 from" in notes


@pytest.mark.parametrize("name", ["dead-affinity", "idle"])
def test_others_hold(name: str, tmp_path: Path) -> None:
    assert len(held(name, tmp_path)) == 2
