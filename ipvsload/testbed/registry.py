"""Every kind of testbed, found by listing this folder.

A new testbed is one new module NAME_kind.py here, or a new folder NAME that has it.
"""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from ipvsload import testbed
from ipvsload.errors import UsageError
from ipvsload.scenario.balancers import find
from ipvsload.testbed.kind import TestbedKind


def _listed() -> list[TestbedKind]:
    """Every kind: the default one first, the others by name."""
    names = []
    for path in (path for folder in testbed.__path__ for path in Path(folder).iterdir()):
        if path.name.endswith("_kind.py"):
            names.append(path.stem)
        elif (path / f"{path.name}_kind.py").is_file():
            names.append(f"{path.name}.{path.name}_kind")
    kinds: list[TestbedKind] = [import_module(f"ipvsload.testbed.{name}").KIND for name in names]
    return sorted(kinds, key=lambda kind: (not kind.is_default, kind.name))


TESTBEDS: dict[str, TestbedKind] = {kind.name: kind for kind in _listed()}
DEFAULT = next(iter(TESTBEDS.values()))


def kind_for_host(host: str) -> TestbedKind:
    """The kind that is meant where only an address was given, or ""."""
    taking = (kind for kind in TESTBEDS.values() if kind.takes_host)
    return next(taking, DEFAULT) if host else DEFAULT


def refuse_foreign_options(chosen: TestbedKind, given: Iterable[str]) -> None:
    """Refuse options of other testbeds: they would do nothing, and nobody would know.

    `given` has names of options. Raises UsageError.
    """
    names = set(given) - {option.name for option in chosen.options}
    for kind in TESTBEDS.values():
        for option in kind.options:
            if option.name in names:
                raise UsageError(
                    f"{option.flag} is an option of --testbed {kind.name}, not of {chosen.name}"
                )


def refuse_foreign_balancers(chosen: TestbedKind, given: Iterable[str]) -> None:
    """Refuse balancers that the chosen kind does not have. Raises UsageError."""
    for name in given:
        if name not in chosen.balancers:
            having = " or ".join(kind.name for kind in TESTBEDS.values() if name in kind.balancers)
            why = f"is not one of --testbed {chosen.name}"
            if (balancer := find(name)).proxy_mode and not balancer.in_ipvs_table:
                why = "is a mode of kube-proxy"
            raise UsageError(f"--scheduler {name} {why}: --testbed {having}")
