"""The director image for real: what is in it, that it boots, and that it can be built again."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ipvsload.director_image import image
from ipvsload.iso.image_build import KEPT
from ipvsload.testbed.lab.kernels.base import PROCESSOR
from tests.iso.machine import PROMPT, booted
from tests.patience import HUNG_AFTER_S
from tests.release.offline_install import installed

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]
IMAGE = image() or ROOT
CD = IMAGE / "ipvsload.iso"
CD_ARM64 = ROOT / "build" / "iso-trixie-arm64" / "ipvsload.iso"
"""Where iso/Makefile puts it on another machine; emulated, it takes six minutes to build."""
IPVSLOAD = [sys.executable, "-m", "ipvsload"]
SCHEDULERS = ["dh", "fo", "lblc", "lblcr", "lc", "mh", "nq", "ovf", "rr", "sed", "sh", "wlc", "wrr"]


def test_it_is_small_and_its_manifest_names_every_part() -> None:
    assert CD.stat().st_size <= 120_000_000
    manifest = (IMAGE / "manifest.txt").read_text()
    for package in ("linux-image-", "ipvsadm ", "ipset ", "iptables ", "nftables ", "python3 "):
        assert re.search(rf"^{package}\S*", manifest, re.MULTILINE), package
    assert re.search(r"^pyroute2 \S+ pypi$", manifest, re.MULTILINE)


def test_check_says_the_same_of_the_cd_and_of_the_kernels_configuration() -> None:
    def has(target: str) -> dict[str, str]:
        done = subprocess.run(
            [*IPVSLOAD, "iso", "check", str(IMAGE / target)],
            capture_output=True,
            text=True,
            timeout=HUNG_AFTER_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return {
            found[2]: found[1]
            for found in re.finditer(r"^  (has|LACKS|\?) .*(CONFIG_\w+)", done.stdout, re.MULTILINE)
        }

    of_cd, of_config = has("ipvsload.iso"), has("config")
    seen = {option for option, word in of_cd.items() if word != "?"}
    assert len(seen) > 30
    assert {option: of_config[option] for option in seen} == {o: of_cd[o] for o in seen}


@pytest.mark.parametrize(
    ("processor", "cd"),
    [
        (PROCESSOR, CD),
        pytest.param(
            *("aarch64", CD_ARM64),
            marks=pytest.mark.skipif(not CD_ARM64.exists(), reason="no image for arm64 is built"),
        ),
    ],
)
def test_it_boots_as_a_cd_is_of_use_to_a_person_and_powers_off(processor: str, cd: Path) -> None:
    with booted(processor, "-cdrom", str(cd), "-nic", "user,model=virtio-net-pci") as console:
        console.until("ipvsload director ready")
        console.until(PROMPT)
        modules = console.ask("lsmod | sed -n 's/^ip_vs_\\([a-z]*\\) .*/\\1/p'").split()
        assert set(SCHEDULERS) <= set(modules)
        assert "10.9.9.9:80" in console.ask(
            "ipvsadm -A -t 10.9.9.9:80 -s lc; ipvsadm -a -t 10.9.9.9:80 -r 10.0.0.1 -m; ipvsadm -ln"
        )
        told = map(json.loads, console.ask("ipvsload-collect --count 1").splitlines())
        (service,) = next(line["services"] for line in told if "services" in line)
        assert service["scheduler"] == "lc"
        assert "hash:ip,port" in console.ask("ipset create a hash:ip,port && ipset list a")
        assert "Read-only" in console.ask("touch /here")
        assert console.ask("ss -Hltnu").strip() == ""
        assert "10.0.2.15" in console.ask(
            "ip link set eth0 up; udhcpc -q -i eth0 2> /dev/null; ip -br -4 addr"
        )
        assert console.power_off() == 0


def test_the_experiment_holds_on_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    scenario = str(ROOT / "scenarios" / "skew.yaml")
    done = subprocess.run(
        [*IPVSLOAD, "run", scenario, "--kernel", "qemu", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((out / "results.json").read_text())
    assert [(run["scheduler"], run["valid"]) for run in found["runs"]] == [
        ("rr", True),
        ("lc", True),
    ]
    assert {run["kernel"]["provider"] for run in found["runs"]} == {"qemu"}


def test_the_same_inputs_give_the_same_bytes_in_a_checkout_and_installed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    package = installed(tmp_path_factory, tmp_path / "a home")
    again = Path(package.run("iso", "build", within_s=HUNG_AFTER_S).strip())
    assert sorted(path.name for path in again.iterdir()) == sorted(KEPT)
    assert again.is_relative_to(tmp_path / "a home")
    before = IMAGE
    # Since that was built the mirror may have got newer packages, and this package changes.
    if _digest(before) != _digest(again):
        before = tmp_path / "once-more"
        subprocess.run(
            ["make", "-C", str(ROOT / "iso"), f"OUT={before}"],
            capture_output=True,
            check=True,
            timeout=HUNG_AFTER_S,
            env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},
        )
    assert _digest(before) == _digest(again)


def _digest(place: Path) -> str:
    return hashlib.sha256((place / "ipvsload.iso").read_bytes()).hexdigest()
