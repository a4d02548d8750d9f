"""The scenarios that come with ipvsload, by their names."""

from pathlib import Path

from ipvsload.scenario.faults import ScenarioError
from ipvsload.scenario.words import hint, quoted
from ipvsload.shipped_files import shipped


def shipped_scenarios() -> dict[str, Path]:
    """Each shipped scenario's file by its name, in the order of the alphabet."""
    return {path.stem: path for path in sorted(shipped("scenarios").glob("*.yaml"))}


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
    near = hint(given.name, scenarios, "shipped scenarios")
    raise ScenarioError([f"{given}: no such file, nor a scenario {quoted(given.name)}; {near}"])
