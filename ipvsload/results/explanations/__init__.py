"""Why a run came out as it did, where that surprises people. One file an explanation.

The files of this folder are imported, and the function `explain` of each is an
explanation: a new one is one new file. Each looks at what is recorded, says
nothing where it does not apply, and otherwise gives notes for people, with the
kernel's rule and where docs/schedulers.md tells more. Its test is a row in CASES
and one in OTHERS of tests/record/test_explanations.py.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from ipvsload.results.explanations.evidence import RunEvidence

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
EXPLANATIONS: tuple[Callable[[RunEvidence], Iterator[str]], ...] = tuple(
    module.explain for module in _MODULES if hasattr(module, "explain")
)


def explanations(seen: RunEvidence) -> Iterator[str]:
    """All notes for this run."""
    for explain in EXPLANATIONS:
        yield from explain(seen)
