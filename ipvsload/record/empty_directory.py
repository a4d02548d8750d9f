"""The directory that a record goes to: made, or found empty.

A mistake in its name is found before anything else begins, without what writes the record.
"""

from pathlib import Path

from ipvsload.errors import UsageError


def make_empty(directory: Path) -> None:
    """Make it, or take it if it is empty. Raises UsageError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UsageError(
                f"{directory}: there is something in this directory: name one that is new or empty"
            )
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{directory}: this is a file: name a directory") from None
    except OSError as error:
        raise UsageError(f"{directory}: cannot make the run directory: {error.strerror}") from None
