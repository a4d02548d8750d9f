"""The house rules that no other tool checks; CONTRIBUTING.md lists them for people."""

import ast
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import grimp
import pytest

import ipvsload

ROOT = Path(ipvsload.__file__).parents[1]
PACKAGE = Path(ipvsload.__file__).parent

MAX_LINES = 350
# Not code: recorded or generated data, pictures, configuration, texts of others.
DATA_SUFFIXES = {".csv", ".json", ".ndjson", ".png", ".svg", ".toml"}
DATA_NAMES = {"LICENSE", "constraints.txt"}

# Ends of names of modules that a registry imports: testbed/registry.py.
FOUND_BY_LISTING = ("_kind",)

# Names that Python or every reader knows. A subcommand's file in cli/ may be called like the file
# that does its work.
SAME_NAME_ALLOWED = {"__init__.py", "base.py"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import statement of the package, also those in functions and under TYPE_CHECKING."""
    return grimp.build_graph("ipvsload", exclude_type_checking_imports=False, cache_dir=None)


def lists_folder(text: str) -> bool:
    """Whether this __init__.py finds the files beside it by itself."""
    return "iter_modules(" in text or '.glob("*.py")' in text


def files() -> list[Path]:
    """What is in version control or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = (ROOT / line for line in listed.stdout.splitlines())
    return [path for path in found if path.is_file()]


def modules() -> Iterable[Path]:
    return PACKAGE.rglob("*.py")


def twice(places: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    """The names that stand for more than one place."""
    found = defaultdict(list)
    for name, path in places:
        found[name].append(str(path.relative_to(PACKAGE)))
    return {name: sorted(paths) for name, paths in found.items() if len(paths) > 1}


def test_no_import_is_part_of_a_circle(graph: grimp.ImportGraph) -> None:
    circular = (
        module
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if graph.chain_exists(importer=imported, imported=module)
    )
    assert sorted(circular) == []


def test_no_file_is_long() -> None:
    code = (
        path for path in files() if path.suffix not in DATA_SUFFIXES and path.name not in DATA_NAMES
    )
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in code}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_a_file_name_stands_for_one_thing() -> None:
    inside = (path for path in files() if path.is_relative_to(PACKAGE))
    places = (
        (path.name, path)
        for path in inside
        if path.name not in SAME_NAME_ALLOWED and path.parent.name != "cli"
    )
    assert twice(places) == {}


def test_a_class_name_stands_for_one_thing() -> None:
    places = (
        (node.name, path)
        for path in modules()
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    )
    assert twice(places) == {}


def test_every_module_is_used(graph: grimp.ImportGraph) -> None:
    """Imported, publicly or by another module, found by a registry, or a program."""
    used = {
        module
        for module in graph.modules
        if graph.find_modules_that_directly_import(module) or graph.find_children(module)
    }
    used |= {f"ipvsload.{home}" for home in ipvsload._HOMES.values()}
    unused = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in modules()
        if path.name != "__init__.py"
        and not lists_folder(path.with_name("__init__.py").read_text())
        and not path.stem.endswith(FOUND_BY_LISTING)
        and '__name__ == "__main__"' not in path.read_text()
    } - used
    assert unused == set()


def test_objects_are_born_whole() -> None:
    """Nobody asks an object whether it has been started."""
    asking = (path for path in modules() if "hasattr(self" in path.read_text())
    assert sorted(str(path.relative_to(PACKAGE)) for path in asking) == []
