"""The scenarios that come with ipvsload, by their names.

An installed package has them in its folder, a checkout beside it.
"""

from pathlib import Path

import ipvsload
from ipvsload.scenario.faults import ScenarioError
from ipvsload.scenario.words import hint, quoted

_PACKAGE = Path(ipvsload.__file__).parent
_FOLDERS = (_PACKAGE / "scenarios", _PACKAGE.parent / "scenarios")


def scenario_path(given: Path) -> Path:
    """The file that is meant: this one, or the shipped scenario of this name.

    Raises ScenarioError for a name that is neither.
    """
    if given.is_file() or given.suffix or len(given.parts) != 1:
        return given
    shipped = {path.stem: path for folder in _FOLDERS for path in sorted(folder.glob("*.yaml"))}
    if given.name in shipped:
        return shipped[given.name]
    if given.exists():
        return given
    near = hint(given.name, shipped, "shipped scenarios")
    raise ScenarioError([f"{given}: no such file, nor a scenario {quoted(given.name)}; {near}"])
