"""Makes the release of this checkout into dist/ and checks it: `python -m release`."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release.distribution_contents import check_sdist, check_wheel
from release.installed_trial import Installed, install, use
from release.release_error import ReleaseError
from release.reproducible_build import build_twice

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"


def main() -> int:
    """Say each step; the exit status is 1 where something is wrong."""
    changed = subprocess.run(["git", "status", "--short"], cwd=ROOT, capture_output=True, text=True)
    if changed.stdout:
        print(f"not committed:\n{changed.stdout}", end="")
    with tempfile.TemporaryDirectory(prefix="ipvsload-release-") as directory:
        try:
            _release(Path(directory))
        except ReleaseError as error:
            print(f"NOT TO BE RELEASED: {error}", file=sys.stderr)
            return 1
    return 0


def _release(work: Path) -> None:
    sdist, wheel = build_twice(ROOT, work)
    print("built in two places and from the sdist: the same bytes")
    check_sdist(sdist, work / "once")
    about = check_wheel(wheel, work / "once")
    print("sdist and wheel have what they should have, and nothing else")
    install(wheel, ROOT / "constraints.txt", work / "environment")
    print(f"installed into an empty environment: {about.name} {about.version}")
    use(
        Installed(work / "environment", work / "home"),
        str(about.version),
        lambda text: print(f"  {text}", flush=True),
    )
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for path in sdist, wheel:
        copy = DIST / path.name
        copy.write_bytes(path.read_bytes())
        print(f"{hashlib.sha256(copy.read_bytes()).hexdigest()}  {copy.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
