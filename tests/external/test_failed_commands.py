"""A command of the owner's that fails changes nothing, keeps nobody out, and is told."""

from pathlib import Path

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.external import director_table
from ipvsload.testbed.external.change_journal import journal_paths
from tests.external.fake_director import FakeDirector


@pytest.fixture
def director(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDirector:
    monkeypatch.setattr(director_table, "_SHOWN_WITHIN", 0.0)
    return FakeDirector(tmp_path)


def test_a_command_that_does_not_begin_leaves_nothing_to_be_put_back(
    director: FakeDirector,
) -> None:
    testbed = director.testbed(set_scheduler="/no/such/program {scheduler}")
    testbed.wait_ready()
    with pytest.raises(TestbedError, match="No such file"):
        testbed.begin(ServiceSpec("lc", (1, 1)))
    testbed.close()
    assert journal_paths() == []


def test_a_command_that_fails_and_changes_nothing_leaves_nothing_to_be_put_back(
    director: FakeDirector,
) -> None:
    told: list[str] = []
    (director.folder / "broken").write_text("a password is required")
    testbed = director.testbed(tell=told.append)
    testbed.wait_ready()
    with pytest.raises(TestbedError, match="a password is required"):
        testbed.begin(ServiceSpec("lc", (1, 1)))
    testbed.close()
    assert journal_paths() == []
    assert "scheduler is rr, as before, though a command failed" in told[-1]


def test_what_the_table_shows_instead_is_said(director: FakeDirector) -> None:
    testbed = director.testbed(set_scheduler="true {scheduler}")
    testbed.wait_ready()
    with pytest.raises(TestbedError, match=r"does not show scheduler lc .*; it shows rr"):
        testbed.begin(ServiceSpec("lc", (1, 1)))
    testbed.close()
