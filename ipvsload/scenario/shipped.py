"""The scenarios that come with ipvsload, by their names."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ipvsload.shipped_files import shipped

if TYPE_CHECKING:
    from ipvsload.scenario.faults import ScenarioError

_TITLE = re.compile(r"^title: (.+)$", re.MULTILINE)


def shipped_scenarios() -> dict[str, Path]:
    """Each shipped scenario's file by its name, in the order of the alphabet."""
    return {path.stem: path for path in sorted(shipped("scenarios").glob("*.yaml"))}


def shipped_titles() -> dict[str, str]:
    """Each shipped scenario's title by its name, without the time that it takes to load them."""
    titles = {name: _TITLE.search(path.read_text()) for name, path in shipped_scenarios().items()}
    return {name: title[1] if title else "" for name, title in titles.items()}


def shipped_scenario(name: str) -> Path:
    """The file of this shipped scenario. Raises ScenarioError where there is none."""
    scenarios = shipped_scenarios()
    if name in scenarios:
        return scenarios[name]
    raise _unknown("no shipped scenario", name)


def scenario_path(given: Path) -> Path:
    """The file that is meant: this one, or the shipped scenario of this name.

    Raises ScenarioError for a name that is neither.
    """
    if given.is_file() or given.suffix or len(given.parts) != 1:
        return given
    scenarios = shipped_scenarios()
    if given.name in scenarios:
        return scenarios[given.name]
    if given.exists():
        return given
    raise _unknown(f"{given}: no such file, nor a scenario", given.name)


def _unknown(what: str, name: str) -> "ScenarioError":
    """The error. What it takes is imported late: a shell's completion lists names only."""
    from ipvsload.scenario.faults import ScenarioError
    from ipvsload.scenario.words import nearest, quoted

    near = nearest(name, shipped_scenarios())
    hint = f"did you mean {quoted(near)}?" if near else "`ipvsload scenarios` lists those that ship"
    return ScenarioError([f"{what} {quoted(name)}; {hint}"])
