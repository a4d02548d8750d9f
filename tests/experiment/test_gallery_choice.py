"""The gallery's scenarios about the choice of servers, on a real kernel: what their pages say."""

from pathlib import Path
from typing import Any

import pytest

from tests.experiment.recording_command import results, run

pytestmark = pytest.mark.kernel


def played(tmp_path: Path, name: str, label: str) -> dict[str, Any]:
    """The only run; all that is expected of it held, and the kernel chose as the model does."""
    done = run("run", name, "--scheduler", label, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[dict[str, Any]] = results(tmp_path / "out")["runs"]
    (only,) = found
    assert only["prediction"]["mismatched"] == 0
    return only


def split(found: dict[str, Any]) -> list[int]:
    return [server["connections"] for server in found["servers"]]


def test_every_node_begins_with_the_server_that_joined_last(tmp_path: Path) -> None:
    found = played(tmp_path, "first-pick", "lc")
    assert split(found) == [0, 0, 4, 4]
    for director in found["directors"]:
        assert list(director["connections"].values()) == [0, 0, 1, 1]


def test_rr_leaves_the_last_restarted_server_with_the_fewest(tmp_path: Path) -> None:
    found = played(tmp_path, "rolling-restart", "rr")
    at_last = [server["active_max"] for server in found["servers"][3:]]
    assert at_last == sorted(at_last, reverse=True)
    assert sum(at_last) == 24


def test_a_fresh_server_is_flooded_under_lc(tmp_path: Path) -> None:
    found = played(tmp_path, "fresh-server", "lc")
    assert found["traffic"]["short"]["errors"].keys() == {"status 503"}


def test_wlc_follows_a_weight_that_ran_away(tmp_path: Path) -> None:
    first, *others = split(played(tmp_path, "runaway-weight", "wlc"))
    assert first > max(others)
