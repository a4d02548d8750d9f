"""A file that a scenario names, for its arrivals or its work: "file: NAME" or {file: NAME}."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from pydantic import ValidationInfo

from ipvsload.errors import UsageError
from ipvsload.scenario.faults import misplaced
from ipvsload.scenario.words import hint, quoted

_KEYS = ("file", "sha256")
_T = TypeVar("_T")
FILE_SCHEMA: tuple[dict[str, Any], ...] = (
    {"type": "string", "pattern": "^file: *[^ ].*$"},
    {
        "type": "object",
        "properties": {key: {"type": "string"} for key in _KEYS},
        "required": ["file"],
        "additionalProperties": False,
    },
)
"""How a scenario names a file, in the JSON Schema of scenario files."""


class FileReference(NamedTuple):
    """A file by its name, relative to the scenario's; `sha256` is "", or what it must be."""

    name: str
    sha256: str = ""
    in_mapping: bool = False


class TraceFile(NamedTuple):
    """A file of arrivals.

    `path` is absolute; it is "", and nothing more is known, where files are not looked at,
    as for a report. `arrivals` is their number and `seconds` the time of the last;
    `columns` is what each line says.
    """

    name: str
    path: str = ""
    sha256: str = ""
    arrivals: int = 0
    seconds: float = 0.0
    columns: tuple[str, ...] = ()


class NumbersFile(NamedTuple):
    """A file of seconds, in ascending order."""

    name: str
    path: str = ""
    sha256: str = ""
    values: tuple[float, ...] = ()


class Files(Protocol):
    """Looks at the files that a scenario names. Both raise UsageError."""

    def trace(self, reference: FileReference) -> TraceFile:
        """A file of arrivals."""

    def numbers(self, reference: FileReference) -> NumbersFile:
        """A file of seconds."""


def file_reference(value: object) -> FileReference | None:
    """The file that a value names; None where it names none. Raises pydantic's error."""
    if isinstance(value, str):
        word, colon, name = value.partition(":")
        known = word.strip() == "file" and bool(colon) and bool(name.strip())
        return FileReference(name.strip()) if known else None
    if not isinstance(value, dict) or "file" not in value:
        return None
    for key, item in value.items():
        if key not in _KEYS:
            reason = f"unknown key {quoted(str(key))}; {hint(str(key), _KEYS, 'keys')}"
            raise misplaced(reason, str(key), at_key=True)
        if not isinstance(item, str) or not item:
            raise misplaced(f"'{key}': expected text", str(key))
    return FileReference(value["file"], value.get("sha256", "").lower(), in_mapping=True)


def looked_at(
    reference: FileReference,
    info: ValidationInfo,
    look: Callable[[Files], Callable[[FileReference], _T]],
    unknown: _T,
) -> _T:
    """What is in the file; `unknown` where nobody looks. Raises pydantic's error."""
    context: dict[str, Any] = info.context or {}
    files: Files | None = context.get("files")
    if files is None:
        return unknown
    try:
        return look(files)(reference)
    except UsageError as error:
        at = ("file",) if reference.in_mapping else ()
        raise misplaced(str(error), *at) from None


def written_reference(file: TraceFile | NumbersFile) -> dict[str, str]:
    """What a worker reads: the same file, which must have the same content."""
    return {"file": file.path or file.name, "sha256": file.sha256}
