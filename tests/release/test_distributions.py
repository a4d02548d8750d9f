"""sdist and wheel: the same bytes from the same sources, and in them what belongs there."""

import shutil
import zipfile
from pathlib import Path

import pytest

import ipvsload
from release.distribution_contents import check_sdist, check_wheel
from release.release_error import ReleaseError
from release.reproducible_build import build_twice, built

ROOT = Path(__file__).parents[2]


def test_two_builds_have_the_same_bytes_and_all_that_belongs_there(tmp_path: Path) -> None:
    sdist, wheel = build_twice(ROOT, tmp_path)
    source = tmp_path / "once"
    check_sdist(sdist, source)
    about = check_wheel(wheel, source)
    assert (about.name, str(about.version)) == ("ipvsload", ipvsload.__version__)
    assert about.description == (ROOT / "README.md").read_text()

    (tmp_path / "more").mkdir()
    more = Path(shutil.copy(wheel, tmp_path / "more"))
    with zipfile.ZipFile(more, "a") as archive:
        archive.writestr("ipvsload/shipped/secret", "")
    with pytest.raises(ReleaseError, match=r"not in version control: ipvsload/shipped/secret$"):
        check_wheel(more, source)
    (source / "scenarios" / "forgotten.yaml").touch()
    with pytest.raises(
        ReleaseError, match=r"not in it: ipvsload/shipped/scenarios/forgotten\.yaml$"
    ):
        check_wheel(wheel, source)
    with pytest.raises(ReleaseError, match=r"not in it: scenarios/forgotten\.yaml$"):
        check_sdist(sdist, source)


def test_what_cannot_be_built_is_said(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    with pytest.raises(ReleaseError, match="hatchling failed"):
        built(tmp_path, tmp_path / "dist", only=["wheel"])
