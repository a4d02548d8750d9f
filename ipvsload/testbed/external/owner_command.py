"""Commands that the owner of a director gave, for what only the owner knows how to do."""

import shlex
import subprocess
from pathlib import Path

from ipvsload.errors import TestbedError, UsageError

WITHIN_S = 30.0
"""A command that has not ended by then is given up, in seconds."""
OPTIONS = "{options}"


class NotStartedError(TestbedError):
    """A command did not begin, so it has changed nothing."""


class OwnerCommand:
    """The value of `option`: split into words as a shell would, and run without a shell.

    It is false where it is empty. {NAME} in it is replaced for each value of
    `run`. It runs in `directory`, where that is still there. Raises UsageError for
    one that cannot be split, or lacks one of `places`.
    """

    def __init__(
        self, option: str, text: str, places: tuple[str, ...] = (), directory: str = ""
    ) -> None:
        self.option, self.text = option, text
        self._directory = directory if directory and Path(directory).is_dir() else None
        try:
            self.words = shlex.split(text)
        except ValueError as error:
            raise UsageError(f"{option} {text!r}: {error}") from None
        missing = [place for place in places if text and place not in text]
        if missing:
            raise UsageError(f"{option} {text!r} has no {' and no '.join(missing)} in it")

    def __bool__(self) -> bool:
        return bool(self.words)

    def has(self, place: str) -> bool:
        """Whether a value has this place in it, such as "{options}"."""
        return place in self.text

    def filled(self, *, options: str = "", **values: str) -> list[str]:
        """Its words, with these values in their places; of `options` each word is one of its own.

        Where {options} is only a part of a word, such as of a shell's, all of them go there.
        """
        command: list[str] = []
        for word in self.words:
            command += options.split() if word == OPTIONS else [word.replace(OPTIONS, options)]
        for name, value in values.items():
            command = [word.replace("{" + name + "}", value) for word in command]
        return command

    def run(
        self, *more: str, told: str = "", **values: str
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run it with `more` words behind it, and `told` on its standard input.

        Raises TestbedError where it does not end, NotStartedError where it does not begin.
        """
        command = self.filled(**values)
        try:
            return subprocess.run(
                [*command, *more],
                input=told.encode(),
                capture_output=True,
                timeout=WITHIN_S,
                cwd=self._directory,
            )
        except OSError as error:
            raise NotStartedError(f"{self.option} {command[0]}: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise self.error(command, f"no end within {WITHIN_S:.0f} s") from None

    def failure(self, done: "subprocess.CompletedProcess[bytes]") -> TestbedError:
        """The error of a command that ended without doing its work, in its last words."""
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"it ended with status {done.returncode}"
        return self.error(done.args[: len(self.words)], reason)

    def error(self, command: list[str], reason: str) -> TestbedError:
        """The error of this command, for this reason."""
        return TestbedError(f"{self.option} {shlex.join(command)}: {reason}")
