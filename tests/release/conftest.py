"""The installed package, for the tests of this folder."""

from pathlib import Path

import pytest

from release.installed_trial import Installed
from tests.release.offline_install import installed


@pytest.fixture
def package(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Installed:
    return installed(tmp_path_factory, tmp_path / "home")
