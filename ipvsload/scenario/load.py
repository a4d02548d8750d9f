"""From a scenario file to a Scenario, or to all that is wrong with it at once.

`load` reads the file; nothing else in this package touches the system.
`parse_scenario` takes the text and does the rest.
"""

from pathlib import Path

from pydantic import ValidationError

from ipvsload.scenario import source
from ipvsload.scenario.check import check
from ipvsload.scenario.faults import Fault, ScenarioError
from ipvsload.scenario.file_reference import Files
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.problems import faults_of, found
from ipvsload.scenario.scenario_files import ScenarioFiles

__all__ = ["ScenarioError", "load", "parse_scenario", "read"]

STDIN = Path("/dev/stdin")


def load(path: Path) -> Scenario:
    """The scenario in a file.

    Raises ScenarioError, whose text has one line a problem:
    `file:line:column: what is wrong; what to do`.
    """
    return parse_scenario(read(path), str(path), ScenarioFiles(path.parent))


def read(path: Path) -> str:
    """The text of a scenario file. Raises ScenarioError where it cannot be one."""
    if path.is_fifo() and path != STDIN:
        raise ScenarioError([f"{path}: a pipe; name a scenario file, or {STDIN}"])
    try:
        with path.open("rb") as file:
            content = file.read(source.MAX_BYTES + 1)
    except FileNotFoundError:
        raise ScenarioError([f"{path}: no such file"]) from None
    except IsADirectoryError:
        raise ScenarioError([f"{path}: a directory; name a scenario file in it"]) from None
    except PermissionError:
        raise ScenarioError([f"{path}: no permission to read it"]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ScenarioError([f"{path}: cannot be read: {reason or error}"]) from None
    if len(content) > source.MAX_BYTES:
        raise ScenarioError([f"{path}: larger than 1 MiB; this is no scenario file"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError([f"{path}: not text in UTF-8; this is no scenario file"]) from None
    if "\0" in text:
        raise ScenarioError([f"{path}: a binary file; this is no scenario file"])
    return text


def with_files(text: str, scenario: Scenario) -> str:
    """The scenario's text as it is recorded: a comment says which content its files had."""
    said = [
        f"# {file.name}: {size}, sha256 {file.sha256}\n"
        for spec in scenario.traffic.values()
        for file, size in spec.files()
    ]
    return text if not said else text.rstrip("\n") + "\n" + "".join(dict.fromkeys(said))


def parse_scenario(text: str, name: str, files: Files | None = None) -> Scenario:
    """The scenario in a text; `name` stands for the file in messages.

    `files` looks at the files that it names; without it, as for a report, nothing of
    them is known.

    Raises ScenarioError, and nothing else, whatever the text.
    """
    try:
        tree = source.read(text)
    except source.SourceError as error:
        raise ScenarioError([f"{name}:{error.line}:{error.column}: {error.text}"]) from None
    if not isinstance(tree.data, dict):
        line, column = tree.where(())
        problem = f"found {found(tree.data)}; a scenario file has keys: name, schedulers, ..."
        raise ScenarioError([f"{name}:{line}:{column}: {problem}"])
    try:
        scenario = Scenario.model_validate(tree.data, context={"files": files})
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False))
    else:
        faults = check(scenario)
        if not faults:
            return scenario
    raise ScenarioError(_lines(name, tree, faults))


def _lines(name: str, tree: source.SourceText, faults: list[Fault]) -> list[str]:
    found_at = sorted({(*tree.where(f.loc, f.at_key, f.column), f.text) for f in faults})
    return [f"{name}:{line}:{column}: {text}" for line, column, text in found_at]
