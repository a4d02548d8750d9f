"""An environment with nothing but the wheel and what it asks for, and a first use of it there."""

import os
import subprocess
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

from release.release_error import ReleaseError

_WITHIN_S = 300.0


class Installed:
    """An ipvsload that was installed into the environment at `root`, used from the empty `home`."""

    def __init__(self, root: Path, home: Path) -> None:
        self._root, self._home = root, home
        self.site = next((root / "lib").glob("python*/site-packages"))
        home.mkdir(parents=True, exist_ok=True)

    def environment(self) -> Mapping[str, str]:
        """As a user has it who knows nothing of a checkout."""
        foreign = ("PYTHON", "XDG_", "IPVSLOAD_", "VIRTUAL_ENV")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
        return {**kept, "HOME": str(self._home)}

    def run(self, *words: str, expected: int | None = 0, within_s: float = _WITHIN_S) -> str:
        """What `ipvsload WORDS` prints. Raises ReleaseError where its status is not this one."""
        done = subprocess.run(
            [str(self._root / "bin" / "ipvsload"), *words],
            cwd=self._home,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=within_s,
        )
        if expected not in (None, done.returncode):
            raise ReleaseError(
                f"ipvsload {' '.join(words)} ended with status {done.returncode}:\n"
                f"{done.stdout}{done.stderr}"
            )
        return done.stdout

    def files(self) -> dict[str, int]:
        """What there is in site-packages but for bytecode, with the time of its last change."""
        found = (path for path in self.site.rglob("*") if "__pycache__" not in path.parts)
        return {str(path): path.stat().st_mtime_ns for path in found if path.is_file()}


def install(wheel: Path, constraints: Path, root: Path) -> None:
    """Install the wheel and what it asks for, as pinned, into a new environment."""
    venv.create(root, with_pip=True)
    pip = str(root / "bin" / "pip"), "--disable-pip-version-check", "--quiet"
    done = subprocess.run(
        [*pip, "install", "--constraint", str(constraints), str(wheel)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ReleaseError(f"pip cannot install {wheel.name}:\n{done.stderr}")


def use(installed: Installed, version: str, tell: Callable[[str], object]) -> None:
    """Do what a newcomer does first. Raises ReleaseError where that fails or leaves traces.

    The lab is used where the doctor says that this machine has what it needs.
    """
    before = installed.files()
    if (said := installed.run("--version").strip()) != f"ipvsload {version}":
        raise ReleaseError(f"the wheel of {version} calls itself {said!r}")
    for words in ["scenarios"], ["validate", "skew"], ["schema"], ["simulate", "skew"]:
        tell(f"ipvsload {' '.join(words)}")
        installed.run(*words)
    tell("ipvsload doctor")
    findings = installed.run("doctor", expected=None)
    if "make iso" in findings or str(installed.site) in findings:
        raise ReleaseError(f"the doctor takes the installed package for a checkout:\n{findings}")
    if findings.splitlines()[-1].startswith("ok"):
        tell("ipvsload run skew")
        if "HELD" not in installed.run("run", "skew"):
            raise ReleaseError("skew does not hold in the lab")
    else:
        tell("no lab here, so `ipvsload run skew` was left out")
    if installed.files() != before:
        raise ReleaseError(f"something was written into {installed.site}")
