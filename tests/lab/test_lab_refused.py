"""What is said where a lab may not be made: on a machine, and in an engine's container."""

import subprocess
import sys
from pathlib import Path

import pytest

from ipvsload.testbed.lab import lab_doctor
from ipvsload.testbed.lab.container import ENGINES, Engine, engine
from ipvsload.testbed.lab.lab_refused import LabRefusedError, advice
from tests.patience import HUNG_AFTER_S


@pytest.mark.parametrize("one", ENGINES, ids=lambda one: one.name)
def test_an_engine_is_known_by_what_it_leaves_in_a_container(one: Engine, tmp_path: Path) -> None:
    mounts, file = tmp_path / "proc/self/mountinfo", tmp_path / one.file
    for path in (mounts, file):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert engine(tmp_path, {}) is None
    mounts.write_text("41 26 254:0 /containers/hosts /etc/hosts rw - ext4 /dev/vda rw\n")
    assert engine(tmp_path, {}) == one
    file.unlink()
    assert engine(tmp_path, {}) is None
    name, value = one.variable.split("=")
    assert engine(tmp_path, {name: value}) == one
    assert one.start in advice("mount: Operation not permitted", one, root=False)


def test_root_in_a_container_is_told_of_capabilities() -> None:
    said = advice("write uid_map: Operation not permitted", ENGINES[1], root=True)
    assert "write uid_map" in said
    assert "SETFCAP" in said


def test_on_a_machine_the_settings_are_named() -> None:
    said = advice("unshare: No space left on device", None, root=False)
    assert "No space left" in said
    assert "sysctl -w user.max_user_namespaces" in said


def test_the_doctor_says_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise LabRefusedError("unshare: Operation not permitted")

    monkeypatch.setattr(lab_doctor, "Lab", refused)
    found = lab_doctor.examine()
    assert [(each.what, each.good) for each in found if "unshare" in each.text] == [("lab", False)]
    assert not any(each.what.startswith("kernel") for each in found)


def test_a_user_without_user_namespaces_is_told_so() -> None:
    # One user namespace within another, in which there may be no third.
    limit = "echo 1 > /proc/sys/user/max_user_namespaces && exec unshare --user --map-user=1000 "
    lab = f"{sys.executable} -m ipvsload lab -- true"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", limit + lab],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 3
    assert "may not make the namespaces of a lab: unshare: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
