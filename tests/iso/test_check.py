"""`ipvsload iso check`: configurations of several kernels, images made here, and mistakes."""

import gzip
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from ipvsload import cpio
from ipvsload.ipvs.kernel_features import FEATURES
from tests.iso import trees
from tests.patience import HUNG_AFTER_S


def check(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ipvsload", "iso", "check", *words],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )


def config(place: Path, release: str, text: str) -> str:
    path = place / "config"
    path.write_text(f"#\n# Linux/x86 {release} Kernel Configuration\n#\n{text}")
    return str(path)


WHOLE = "".join(
    f"CONFIG_{feature.option}={'m' if feature.module else 'y'}\n" for feature in FEATURES
)


def row(said: str, name: str) -> str:
    return next(line for line in said.splitlines() if f" {name} " in line)


def test_a_kernel_with_everything(tmp_path: Path) -> None:
    done = check(config(tmp_path, "6.12.0", WHOLE))
    assert done.returncode == 0, done.stderr
    assert "LACKS" not in done.stdout
    assert "Linux 6.12.0" in done.stdout


def test_debians_61_lacks_twos_which_kube_proxy_can_do_without(tmp_path: Path) -> None:
    text = WHOLE.replace("CONFIG_IP_VS_TWOS=m", "# CONFIG_IP_VS_TWOS is not set")
    done = check(config(tmp_path, "6.1.192", text))
    assert done.returncode == 0
    assert row(done.stdout, "twos").strip().startswith("LACKS")
    assert "not kube-proxy's need: twos" in done.stdout


def test_minikubes_028_lacks_set_types_and_is_told_what_its_kernel_cannot_have(
    tmp_path: Path,
) -> None:
    done = check(config(tmp_path, "4.16.14", trees.OLD))
    assert done.returncode == 1
    assert "will not work: no bitmap:port, hash:ip,port, hash:ip,port,ip" in done.stdout
    assert "came with Linux 4.18" in row(done.stdout, "mh")


def test_minikubes_arm_kernel_lacks_the_device(tmp_path: Path) -> None:
    done = check(config(tmp_path, "6.6.95", trees.AARCH64))
    assert done.returncode == 1
    assert "kube-ipvs0" in row(done.stdout, "dummy")


def test_a_configuration_as_the_kernel_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "config.gz"
    path.write_bytes(gzip.compress(WHOLE.encode()))
    assert check(str(path)).returncode == 0
    path.write_bytes(path.read_bytes()[:100])
    assert check(str(path)).returncode == 2


def archive(modules: list[str]) -> bytes:
    listing = "".join(f"kernel/net/{name}.ko.xz: kernel/x.ko\n" for name in modules)
    return cpio.archive(
        [
            cpio.file("lib/modules/6.6.95/modules.dep", listing.encode()),
            cpio.file("lib/modules/6.6.95/modules.builtin", b"kernel/net/core/ip_set.ko\n"),
        ]
    )


MODULES = [
    feature.module for feature in FEATURES if feature.module not in ("", "ip_set", "ip_vs_mh")
]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_an_initramfs_plain_and_packed_and_behind_another(
    pack: type[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "initrd"
    first = cpio.archive([cpio.file("kernel/x86/microcode/x.bin", b"xyz")])
    path.write_bytes(first + bytes(512) + pack(archive(MODULES)))
    done = check(str(path))
    assert done.returncode == 0, done.stderr
    assert "Linux 6.6.95" in done.stdout
    assert row(done.stdout, "mh").strip().startswith("LACKS")
    assert row(done.stdout, "CONFIG_IP_SET").strip().startswith("has")
    # An option without a module cannot be seen there.
    assert row(done.stdout, "CONFIG_IP_VS_NFCT").strip().startswith("?")


def test_this_machine_answers_or_says_why_it_cannot() -> None:
    done = check()
    assert done.returncode in (0, 1, 2)
    assert "Linux" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_neither_is_a_mistake(tmp_path: Path) -> None:
    half = tmp_path / "half"
    half.write_bytes(archive(MODULES)[:300])
    other = tmp_path / "other"
    other.write_bytes(b"\x7fELF" + bytes(100))
    nothing = tmp_path / "nothing"
    nothing.write_bytes(cpio.archive([cpio.file("etc/passwd", b"")]))
    for path, said in (
        (half, "cut short"),
        (other, "neither a kernel configuration nor an image"),
        (nothing, "no list of kernel modules"),
        (tmp_path, "directory"),
        (tmp_path / "missing", "no such file"),
    ):
        done = check(str(path))
        assert done.returncode == 2, path
        assert said in done.stderr
        assert "Traceback" not in done.stderr
