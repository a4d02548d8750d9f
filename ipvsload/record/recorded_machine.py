"""The machine that made the load and with what programs, as the record's first line has it.

Two recordings are compared, perhaps years apart: what differs between them is to be seen.
Nothing in it names a person, a host or a network.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordedMachine:
    """The generator's machine; "" and None are what nobody could tell.

    `cores` are the processors that this process could use, `memory_gib` is the machine's, `kernel`
    the release of its own kernel, which need not be the director's. `versions` are those of the
    programs that take part, by name.
    """

    processor: str = ""
    cores: int | None = None
    memory_gib: float | None = None
    kernel: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """It as an object of plain types."""
        return asdict(self)


def machine_of(value: object) -> RecordedMachine | None:
    """What a first line says of it; None in an earlier record. What is not right is not known."""
    if not isinstance(value, Mapping):
        return None
    versions = value.get("versions")
    found = versions.items() if isinstance(versions, Mapping) else ()
    cores, memory = value.get("cores"), value.get("memory_gib")
    return RecordedMachine(
        processor=_text(value.get("processor")),
        cores=cores if type(cores) is int else None,
        memory_gib=float(memory) if isinstance(memory, int | float) else None,
        kernel=_text(value.get("kernel")),
        versions={str(name): text for name, text in found if isinstance(text, str)},
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
