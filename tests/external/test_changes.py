"""What is set on somebody's director is written down before, and put back, whatever ends it."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ipvsload.errors import TestbedError
from ipvsload.testbed.base import ServiceSpec
from ipvsload.testbed.external import director_changes, director_table
from ipvsload.testbed.external.change_journal import journal_paths
from ipvsload.testbed.external.director_doctor import examine
from ipvsload.testbed.external.director_restore import restore
from tests import forked
from tests.external.fake_director import ONE, FakeDirector

AS_IT_WAS = ("rr", 1, 1)
NAME = "tcp 192.0.2.80:80 on lb1"


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(director_table, "_SHOWN_WITHIN", 0.0)
    monkeypatch.setattr(director_changes, "WITHIN_S", 0.0)


@pytest.fixture
def director(tmp_path: Path) -> FakeDirector:
    return FakeDirector(tmp_path)


@pytest.fixture
def told() -> list[str]:
    return []


def killed_at(director: FakeDirector, step: int) -> int:
    """Run the program that is killed there; its exit status."""
    stderr = director.folder / "stderr"
    words = "tests.external.lifecycle", str(director.folder), str(step)
    status = forked.status(forked.start(*words, stderr=stderr))
    assert "Traceback" not in stderr.read_text(), stderr.read_text()
    return status


def restored(told: list[str]) -> list[str]:
    return list(restore(told.append))


@pytest.fixture
def broken_off(director: FakeDirector) -> FakeDirector:
    """A director that a killed run has left with another scheduler and another weight."""
    with ExitStack() as stack:
        testbed = director.testbed()
        testbed.wait_ready()
        testbed.begin(ServiceSpec("lc", (1, 1)))
        testbed.set_weight(ONE, 5)
        journal = testbed._changes.journal
        assert journal
        # The kernel closes what a killed process had open.
        stack.callback(journal._file.close)
    assert director.table == ("lc", 5, 1)
    return director


@pytest.mark.long
def test_killed_at_any_step_it_is_put_back(director: FakeDirector) -> None:
    seen = set()
    for step in range(1, 200):
        status = killed_at(director, step)
        seen.add(director.table)
        told: list[str] = []
        restored(told)
        assert director.table == AS_IT_WAS, (step, told)
        assert journal_paths() == []
        if not status:
            break
    assert status == 0
    assert seen >= {AS_IT_WAS, ("lc", 1, 1), ("lc", 5, 1)}


def test_a_restore_that_is_broken_off_works_again(
    broken_off: FakeDirector, told: list[str]
) -> None:
    (broken_off.folder / "broken").write_text("no way")
    with pytest.raises(TestbedError) as failure:
        restored(told)
    for said in ("scheduler to rr", f"weight of {ONE} to 1", "no way", "do: ", "remove /"):
        assert said in str(failure.value)
    (broken_off.folder / "broken").unlink()
    assert restored(told) == [f"{NAME}: what that run had changed is put back"]
    assert broken_off.table == AS_IT_WAS
    assert restored(told) == []


def test_a_restore_that_is_killed_works_again(broken_off: FakeDirector) -> None:
    program = (
        "import os, signal\n"
        "from ipvsload.testbed.external.owner_command import OwnerCommand\n"
        "from ipvsload.testbed.external.director_restore import restore\n"
        "def filled(command, plain=OwnerCommand.filled, **values):\n"
        "    if values.get('scheduler'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return plain(command, **values)\n"
        "OwnerCommand.filled = filled\n"
        "list(restore(print))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert broken_off.table == ("lc", 1, 1)
    told: list[str] = []
    restored(told)
    assert broken_off.table == AS_IT_WAS
    assert not any("weight" in line for line in told)


def test_what_somebody_else_has_changed_since_is_left(
    broken_off: FakeDirector, told: list[str]
) -> None:
    broken_off.be("wlc", 5, 1)
    assert restored(told) == [
        f"{NAME}: what that run had changed is put back, but for what somebody else has changed"
        " since"
    ]
    assert broken_off.table == ("wlc", 1, 1)
    assert any("is wlc, which is neither what the run set (lc)" in line for line in told)
    assert journal_paths() == []


def test_a_run_that_is_alive_has_its_director_for_itself(
    director: FakeDirector, told: list[str]
) -> None:
    testbed = director.testbed()
    testbed.wait_ready()
    testbed.begin(ServiceSpec("lc", (1, 1)))
    for other in (director.testbed(), director.testbed(set_scheduler="", set_weight="")):
        with pytest.raises(TestbedError) as refusal:
            other.wait_ready()
        assert f"a service: {NAME} is held by " in str(refusal.value)
        assert f"process {os.getpid()}, since 20" in str(refusal.value)
    with pytest.raises(
        TestbedError, match=f"left alone, because a run is going on: .*process {os.getpid()}"
    ):
        restored(told)
    assert director.table == ("lc", 1, 1)
    testbed.close()
    assert director.table == AS_IT_WAS
    with closing(director.testbed()) as next_run:
        next_run.wait_ready()


def test_a_run_does_not_begin_on_a_director_that_another_left_changed(
    broken_off: FakeDirector, told: list[str]
) -> None:
    with pytest.raises(TestbedError, match=r"broken off has left .*: put it back first"):
        broken_off.testbed().wait_ready()
    restored(told)
    with closing(broken_off.testbed()) as next_run:
        next_run.wait_ready()


@pytest.mark.parametrize(
    ("node", "table", "same"),
    [
        ("lb1", "boot-2 net:[1]", True),  # it was started anew
        ("lb1", "", True),  # an older sidecar, which goes by the name
        ("lb1", "boot-1 net:[2]", False),
        ("lb2", "boot-1 net:[1]", False),
    ],
)
def test_another_director_is_not_touched(
    broken_off: FakeDirector, told: list[str], node: str, table: str, same: bool
) -> None:
    broken_off.say_hello(node, table)
    if same:
        restored(told)
        assert broken_off.table == AS_IT_WAS
    else:
        with pytest.raises(TestbedError, match="now reads another director's table"):
            restored(told)
        assert broken_off.table == ("lc", 5, 1)


def test_a_director_that_cannot_be_reached_is_said_and_stays_in_the_journal(
    broken_off: FakeDirector, told: list[str]
) -> None:
    (broken_off.folder / "unreachable").touch()
    with pytest.raises(TestbedError) as failure:
        restored(told)
    assert "no route to host" in str(failure.value)
    assert f"Left to do: scheduler to rr, weight of {ONE} to 1" in str(failure.value)
    assert len(journal_paths()) == 1


def test_a_run_of_another_machine_is_not_touched(broken_off: FakeDirector, told: list[str]) -> None:
    (path,) = journal_paths()
    head = json.loads(path.read_text().splitlines()[0])
    there = f'"host": "elsewhere", "boot": "{"0" * 8}"'
    here = f'"host": {json.dumps(head["owner"]["host"])}, "boot": "{head["owner"]["boot"]}"'
    path.write_text(path.read_text().replace(here, there))
    with pytest.raises(TestbedError, match="run ipvsload restore on elsewhere"):
        restored(told)
    assert broken_off.table == ("lc", 5, 1)


@pytest.mark.parametrize("end", ['{"change": ["198.5', '{"settled": [""]}'])
def test_a_line_that_was_cut_short_is_none(
    broken_off: FakeDirector, told: list[str], end: str
) -> None:
    (path,) = journal_paths()
    with path.open("a") as file:
        file.write(end)
    restored(told)
    assert broken_off.table == AS_IT_WAS


@pytest.mark.parametrize("end", ['{"change": ["198.5', "\0" * 40])
def test_what_was_cut_short_spoils_no_later_line(
    broken_off: FakeDirector, told: list[str], end: str
) -> None:
    (path,) = journal_paths()
    with path.open("a") as file:
        file.write(end)
    (broken_off.folder / "broken").write_text("no such thing")
    with pytest.raises(TestbedError, match="no such thing"):
        restored(told)
    (broken_off.folder / "broken").unlink()
    restored(told)
    assert broken_off.table == AS_IT_WAS
    assert journal_paths() == []


def test_a_journal_that_is_no_text_is_named(broken_off: FakeDirector, told: list[str]) -> None:
    (path,) = journal_paths()
    with path.open("ab") as file:
        file.write(b"\xff\xfe\n")
    with pytest.raises(TestbedError, match="is not a journal"):
        restored(told)
    assert journal_paths() == [path]


def test_a_user_without_a_home_is_told_what_to_do(
    director: FakeDirector, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_uid: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setenv("HOME", "")
    # A relative path is none.
    monkeypatch.setenv("XDG_STATE_HOME", "here")
    with pytest.raises(TestbedError, match="no home directory: name a directory for it"):
        director.testbed().wait_ready()
    assert restored(told) == []


@pytest.mark.parametrize("text", ["rubbish\n", "{}\n", '{"ipvsload": "changes", "version": 2}\n'])
def test_a_file_that_is_no_journal_is_named_and_kept(
    state_home: Path, told: list[str], text: str
) -> None:
    state_home.mkdir(parents=True)
    path = state_home / "it.ndjson"
    path.write_text(text)
    with pytest.raises(TestbedError, match=r"it\.ndjson is not a journal"):
        restored(told)
    assert path.read_text() == text


def test_a_command_that_outlives_its_run_is_waited_for(
    director: FakeDirector, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (director.folder / "slow").touch()
    program = [sys.executable, "-m", "tests.external.lifecycle", str(director.folder), "1000"]
    with subprocess.Popen(program) as run:
        while not (director.folder / "at-work").exists():
            time.sleep(0.01)
        run.kill()
    assert director.table == AS_IT_WAS
    monkeypatch.setattr(director_changes, "WITHIN_S", 3.0)
    restored(told)
    assert "a command of that run may still be at work" in told[1]
    assert director.log == ["scheduler lc", "scheduler rr"]
    assert director.table == AS_IT_WAS


def test_a_run_cannot_change_what_cannot_be_written_down(
    director: FakeDirector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    with pytest.raises(TestbedError, match="XDG_STATE_HOME may name another directory"):
        director.testbed().wait_ready()
    assert director.log == []
    director.testbed(set_scheduler="", set_weight="").wait_ready()


def test_runs_begin_with_the_same_weights(director: FakeDirector) -> None:
    testbed = director.testbed()
    testbed.begin(ServiceSpec("lc", (1, 1)))
    testbed.set_weight(ONE, 5)
    testbed.end()
    assert director.table == ("lc", 1, 1)
    testbed.close()
    testbed.close()
    assert director.log == ["scheduler lc", f"weight {ONE} 5", f"weight {ONE} 1", "scheduler rr"]


def test_the_doctor_tells_what_is_left(broken_off: FakeDirector, told: list[str]) -> None:
    table, journal = examine("http://192.0.2.80", broken_off.sidecar, "")
    assert not journal.good
    assert f"has left {NAME} changed" in journal.text
    assert journal.text.endswith("ipvsload restore")
    assert table.good
    assert table.text == "tcp 192.0.2.80:80, lc, 2 real servers (kernel 6.1, lb1)"
    restored(told)
    (unnamed,) = examine("", "", "")
    assert not unnamed.good
    assert "--url" in unnamed.text


def test_restore_is_a_command(broken_off: FakeDirector, tmp_path: Path) -> None:
    nowhere = {**os.environ, "KUBECONFIG": str(tmp_path / "none")}
    command = [sys.executable, "-m", "ipvsload", "restore"]
    done = subprocess.run(command, capture_output=True, text=True, env=nowhere)
    assert (done.returncode, done.stderr.count("\n")) == (0, 3), done.stderr
    assert done.stdout == f"{NAME}: what that run had changed is put back\n"
    done = subprocess.run(command, capture_output=True, text=True, env=nowhere)
    assert done.returncode == 3
    assert "nothing that runs wrote down on this machine is left to be put back" in done.stderr
    assert "there is no kubeconfig" in done.stderr
