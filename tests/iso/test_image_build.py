"""What `ipvsload iso build` does around make, which is a script of the test's here."""

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from ipvsload.errors import TestbedError, UsageError
from ipvsload.iso import image_build
from ipvsload.iso.image_build import KEPT, build_image

HERE = "amd64"
MADE = " ".join([*KEPT, "root.tar", "efi.img"])


class Machine:
    """A machine on which these are the programs that a build starts."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._programs = root / "bin"
        self._programs.mkdir()
        self.images = root / "a place" / "images"
        self.program("dpkg", f"echo {HERE}")
        self.program("dpkg-query", "for it in $*; do echo $it installed; done")
        self.program("newuidmap", "")
        self.program("make", "touch ../made")
        monkeypatch.setenv("PATH", f"{self._programs}:{os.environ['PATH']}")
        monkeypatch.setattr(image_build, "images", lambda: self.images)
        monkeypatch.setattr(os, "geteuid", lambda: 0)

    def program(self, name: str, script: str) -> None:
        path = self._programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def left(self) -> list[str]:
        return sorted(str(path.relative_to(self.images)) for path in self.images.rglob("*"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def silent(_text: str) -> None:
    """Say nothing."""


def test_the_new_image_takes_the_place_of_the_one_before(machine: Machine) -> None:
    told: list[str] = []
    for version in "one", "two":
        machine.program(
            "make", f"mkdir ../image; cd ../image; for it in {MADE}; do echo {version} > $it; done"
        )
        place = build_image("trixie", None, told.append)
        assert place == machine.images / "iso-trixie"
        assert (place / "vmlinuz").read_text() == f"{version}\n"
    assert machine.left() == ["iso-trixie", *sorted(f"iso-trixie/{name}" for name in KEPT)]
    assert str(place) in told[0]


def test_make_gets_the_recipe_and_paths_without_a_space(machine: Machine) -> None:
    machine.program("make", 'ls Makefile init ../package/cpio.py && echo "$*" > ../image; exit 7')
    with pytest.raises(TestbedError, match="make ended with status 7"):
        build_image("bookworm", "arm64", silent)
    assert machine.left() == []


def test_what_is_missing_is_named_with_the_command(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.program(
        "dpkg-query",
        "for it in $*; do case $it in m*);; *) echo $it installed;; esac; done; exit 1",
    )
    with pytest.raises(
        TestbedError, match=r": apt-get install --no-install-recommends make mmdebstrap mtools$"
    ):
        build_image("trixie", None, silent)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    with pytest.raises(TestbedError, match="sudo apt-get install"):
        build_image("trixie", None, silent)
    assert not machine.images.exists()


def test_an_ordinary_user_needs_ids_for_the_users_of_the_image(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    said = "4000000000 has no line in /etc/subuid, .*: sudo usermod --add-subuids .* 4000000000$"
    with pytest.raises(TestbedError, match=said):
        build_image("trixie", None, silent)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(TestbedError, match=r"newuidmap .*: sudo apt-get install uidmap$"):
        build_image("trixie", None, silent)


def test_it_needs_dpkg(machine: Machine) -> None:
    machine.program("dpkg", "exit 127")
    with pytest.raises(TestbedError, match="no dpkg here: build it on a Debian or Ubuntu"):
        build_image("trixie", None, silent)


@pytest.mark.parametrize("suite", ["", "../trixie", "A", "a b"])
def test_a_suite_is_a_name(machine: Machine, suite: str) -> None:
    with pytest.raises(UsageError, match="no release of Debian"):
        build_image(suite, None, silent)


def test_an_interrupted_build_leaves_the_image_before_and_no_process(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = machine.images / "iso-trixie" / "vmlinuz"
    before.parent.mkdir(parents=True)
    before.write_text("before")
    begun, groups = tmp_path / "begun", []
    os.mkfifo(begun)
    machine.program("make", f"mkdir ../image; echo $$ > {begun}; exec sleep 1000")
    wait = subprocess.Popen.wait

    def interrupted(process: "subprocess.Popen[bytes]", timeout: float | None = None) -> int:
        if timeout is None:
            groups.append(int(begun.read_text()))
            raise KeyboardInterrupt
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    monkeypatch.setattr(image_build, "_this_architecture", lambda: HERE)
    monkeypatch.setattr(image_build, "_refuse_without_packages", lambda _architecture: None)
    with pytest.raises(KeyboardInterrupt):
        build_image("trixie", None, silent)
    assert machine.left() == ["iso-trixie", "iso-trixie/vmlinuz"]
    with pytest.raises(ProcessLookupError):
        os.killpg(groups[0], 0)


def test_one_build_at_a_time(machine: Machine, tmp_path: Path) -> None:
    begun, end = tmp_path / "begun", tmp_path / "end"
    for fifo in begun, end:
        os.mkfifo(fifo)
    machine.program("make", f"echo > {begun}; read _ < {end}; mkdir ../image")
    first = threading.Thread(target=build_image, args=("trixie", None, silent))
    first.start()
    try:
        begun.read_text()
        with pytest.raises(TestbedError, match=r"being built in .* already"):
            build_image("bookworm", None, silent)
    finally:
        end.write_text("\n")
        first.join()
    assert machine.left() == ["iso-trixie"]
