"""What of a kept recording a new one is held against: a copy of it in the new one's directory.

The verdict must come from the files, also a year later or on another machine, where the kept
recording is not.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from ipvsload.record.format import FormatError
from ipvsload.results.comparison import ComparedRecording
from ipvsload.results.pair_comparison import MeasuredColumn
from ipvsload.results.recording_differences import found_facts


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """`name` is what the user calls it, `facts` what it was made on and with, for people.

    `columns` are by the measures under test of the new one. `paired`: a repeat had the same
    arrivals and work in both.
    """

    name: str
    facts: Mapping[str, str]
    columns: tuple[MeasuredColumn, ...]
    paired: bool

    @classmethod
    def of(cls, kept: ComparedRecording, *, paired: bool) -> Self:
        """What matters of this one."""
        return cls(kept.name, found_facts(kept), kept.results.columns, paired)

    def to_json(self) -> dict[str, Any]:
        """It as an object of plain types."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: Any) -> Self:
        """It again. Raises FormatError."""
        try:
            return cls(
                str(value["name"]),
                {str(what): str(told) for what, told in value["facts"].items()},
                tuple(_column(one) for one in value["columns"]),
                bool(value["paired"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise FormatError("this is not what was kept of a recording") from None


def _column(value: Any) -> MeasuredColumn:
    ends = value["ci95"]
    return MeasuredColumn(
        label=str(value["label"]),
        measure=str(value["measure"]),
        unit=value["unit"],
        better=value["better"],
        blocks=tuple((int(block), float(told)) for block, told in value["blocks"]),
        median=None if value["median"] is None else float(value["median"]),
        ci95=(float(ends[0]), float(ends[1])) if ends else None,
        warnings=tuple(map(str, value["warnings"])),
    )
