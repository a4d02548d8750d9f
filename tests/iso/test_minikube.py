"""`ipvsload iso minikube` over trees in the shape of the real ones."""

import subprocess
import sys
from pathlib import Path

import pytest

from ipvsload.iso import minikube
from tests.iso import trees
from tests.patience import HUNG_AFTER_S


def ipvsload(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ipvsload", "iso", "minikube", *words],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )


def test_it_shows_first_and_changes_only_when_told(tmp_path: Path) -> None:
    tree = trees.today(tmp_path)
    shown = ipvsload(str(tree))
    assert shown.returncode == 0, shown.stderr
    assert "+CONFIG_IP_VS_MH=m" in shown.stdout
    assert "nothing was changed" in shown.stdout
    assert trees.defconfig(tree, "x86_64").read_text() == trees.X86_64

    written = ipvsload("--write", str(tree))
    assert written.returncode == 0, written.stderr
    assert "+CONFIG_IP_VS_TWOS=m" in written.stdout
    assert "make out/minikube-x86_64.iso" in written.stdout
    assert f"--iso-url=file://{tree}/out/minikube-arm64.iso" in written.stdout
    after = trees.defconfig(tree, "aarch64").read_text()
    assert "CONFIG_DUMMY=m\n" in after

    again = ipvsload("--write", str(tree))
    assert again.returncode == 0
    assert again.stdout.count("nothing is missing for IPVS") == 2
    assert trees.defconfig(tree, "aarch64").read_text() == after


def test_the_layout_of_028(tmp_path: Path) -> None:
    done = ipvsload("--write", str(trees.of_028(tmp_path)))
    assert done.returncode == 0, done.stderr
    assert "+CONFIG_IP_SET_HASH_IPPORTNET=m" in done.stdout
    assert "IP_VS_MH" not in done.stdout  # Linux 4.16 has no such thing
    assert "make out/minikube.iso" in done.stdout


def test_after_the_build_an_option_that_was_dropped_is_named(tmp_path: Path) -> None:
    tree = trees.today(tmp_path)
    ipvsload("--write", str(tree))
    whole = trees.defconfig(tree, "x86_64").read_text()
    config = trees.built(
        tree, whole.replace("CONFIG_IP_VS_TWOS=m", "# CONFIG_IP_VS_TWOS is not set")
    )
    done = ipvsload(str(tree))
    assert done.returncode == 1
    assert "DROPPED by the build: CONFIG_IP_VS_TWOS (twos); it needs CONFIG_IP_VS" in done.stdout
    config.write_text(
        config.read_text().replace("# CONFIG_IP_VS_TWOS is not set", "CONFIG_IP_VS_TWOS=m")
    )
    done = ipvsload(str(tree))
    assert done.returncode == 0
    assert "the kernel that was built has them all" in done.stdout


def test_kernel_versions_that_do_not_match_are_a_warning(tmp_path: Path) -> None:
    tree = trees.today(tmp_path, "6.12.1", "6_6")
    trees.built(tree, trees.X86_64, "6.6.95")
    said = ipvsload(str(tree)).stdout
    assert "builds Linux 6.12.1 with headers of 6.6" in said
    assert "holds Linux 6.6.95, the tree builds 6.12.1" in said
    old = "# Linux/x86 6.1.0 Kernel Configuration\n"
    assert any(
        "renamed" in warning for warning in minikube.mismatches(trees.buildroot("6.6.95"), old, [])
    )
    assert minikube.mismatches(trees.buildroot("6.6.95", "6_6"), "", ["6.6.95"]) == []


def test_a_file_system_without_case_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.today(tmp_path)
    said: list[str] = []
    minikube.prepare_checkout(tmp_path, False, said.append)
    assert not any("case" in line for line in said)
    # Such a file system cannot be had here: one that finds every name is near enough.
    monkeypatch.setattr(Path, "exists", lambda self: "cASE" in self.name)
    minikube.prepare_checkout(tmp_path, False, said.append)
    assert any(line.startswith("WARNING") and "case" in line for line in said)


def test_what_is_no_checkout_is_a_mistake_and_not_a_traceback(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere", Path("/dev/null")):
        done = ipvsload(str(place))
        assert done.returncode == 2
        assert "minikube checkout" in done.stderr
        assert "Traceback" not in done.stderr
    half = trees.today(tmp_path)
    (half / trees.ISO / "configs/minikube_x86_64_defconfig").unlink()
    done = ipvsload(str(half))
    assert done.returncode == 2
    assert "minikube_x86_64_defconfig" in done.stderr
