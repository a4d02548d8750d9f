"""What can be wrong with a scenario: a text, and its place in the file's data.

Below the types of the file, so that they can say in plain words what is wrong
with them; problems.py turns pydantic's own errors into the same form.
"""

from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from ipvsload.errors import UsageError

MAX_PROBLEMS = 20
Loc = tuple[str | int, ...]
"""A path into the file's data: keys of mappings and positions in lists."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a path into the data.

    `at_key` points at the key instead of its value; `column` is 1-based, into
    the text of an expression.
    """

    loc: Loc
    text: str
    at_key: bool = False
    column: int | None = None


class ScenarioError(UsageError):
    """A scenario file that cannot be used: one line a problem, each with its place."""

    prefix = ""  # terminals and editors look for file:line:column at the beginning

    def __init__(self, lines: list[str]) -> None:
        shown = lines[:MAX_PROBLEMS]
        if len(lines) > MAX_PROBLEMS:
            shown.append(f"... and {len(lines) - MAX_PROBLEMS} more")
        super().__init__("\n".join(shown))


def refused(key: str | None, reason: str, place: int | None = None) -> PydanticCustomError:
    """The error of a model whose keys do not go together, at this key or at the model itself.

    `place` is the item's in the key's list.
    """
    path = [part for part in (key, place) if part is not None]
    return PydanticCustomError("model", "{reason}", {"reason": reason, "path": path})


def misplaced(reason: str, *at: str | int, at_key: bool = False) -> PydanticCustomError:
    """The error of something inside one value; `at` is its path there, the message is whole."""
    context = {"reason": reason, "at": at, "at_key": at_key}
    return PydanticCustomError("misplaced", "{reason}", context)


def unexpected(reason: str) -> PydanticCustomError:
    """The error of one value; the message names the key before it and what was found after it."""
    return PydanticCustomError("unexpected", "{reason}", {"reason": reason})
