"""The installed package, where there is no checkout: what the README's first screen promises."""

from pathlib import Path

import pytest

import ipvsload
from ipvsload.scenario.shipped import shipped_scenarios
from release.installed_trial import Installed


def test_a_first_verdict_without_a_checkout(package: Installed) -> None:
    before = package.files()
    assert package.run("--version") == f"ipvsload {ipvsload.__version__}\n"
    listed = package.run("scenarios")
    assert [name for name in shipped_scenarios() if name not in listed] == []
    assert "HELD" in package.run("simulate", "skew")
    (report,) = Path(package.environment()["HOME"]).glob("runs/skew-*/report.html")
    assert report.stat().st_size > 10_000
    assert package.files() == before


@pytest.mark.kernel
def test_the_doctor_and_the_lab_without_a_checkout(package: Installed) -> None:
    before = package.files()
    home = Path(package.environment()["HOME"])
    findings = package.run("doctor")
    image = home / ".local" / "share" / "ipvsload" / "images" / "iso-trixie"
    assert f"no director image ({image}/vmlinuz); build it with: ipvsload iso build" in findings
    assert "make iso" not in findings
    assert '"origin"' in package.run("lab", "--", "curl", "-s", "$URL/ip")
    assert package.files() == before
