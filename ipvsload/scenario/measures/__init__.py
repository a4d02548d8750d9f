"""The one table of all measures. Each family is a file of this folder, found by listing it."""

from importlib import import_module
from pkgutil import iter_modules

from ipvsload.scenario.measures.base import Measure, MeasureKind

MEASURES: dict[str, MeasureKind] = {
    row.name: row
    for family in iter_modules(__path__, f"{__name__}.")
    for row in getattr(import_module(family.name), "MEASURES", ())
}


def needs_table(measure: Measure) -> bool:
    """Whether only who reads the kernel's table knows it; servers get their numbers there."""
    return MEASURES[measure.name].source == "table" or measure.server is not None


def needs_capacity(measure: Measure) -> bool:
    """Whether only servers with a capacity say it."""
    return MEASURES[measure.name].source == "servers"
