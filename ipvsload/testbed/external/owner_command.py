"""Commands that the owner of a director gave, for what only the owner knows how to do."""

import shlex
import subprocess

from ipvsload.errors import TestbedError, UsageError

_WITHIN = 30.0


class OwnerCommand:
    """The value of `option`: split into words as a shell would, and run without a shell.

    It is false where it is empty. {NAME} in it is replaced for each value of
    `run`. Raises UsageError for one that cannot be split, or lacks one of `places`.
    """

    def __init__(self, option: str, text: str, places: tuple[str, ...] = ()) -> None:
        self._option = option
        try:
            self.words = shlex.split(text)
        except ValueError as error:
            raise UsageError(f"{option} {text!r}: {error}") from None
        missing = [place for place in places if text and place not in text]
        if missing:
            raise UsageError(f"{option} {text!r} has no {' and no '.join(missing)} in it")

    def __bool__(self) -> bool:
        return bool(self.words)

    def run(self, *more: str, **values: str) -> "subprocess.CompletedProcess[bytes]":
        """Run it with `more` words behind it. Raises TestbedError where it does not end."""
        command = self.words
        for name, value in values.items():
            command = [word.replace("{" + name + "}", value) for word in command]
        try:
            return subprocess.run(
                [*command, *more], stdin=subprocess.DEVNULL, capture_output=True, timeout=_WITHIN
            )
        except OSError as error:
            raise TestbedError(f"{self._option} {command[0]}: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise self.error(command, f"no end within {_WITHIN:.0f} s") from None

    def failure(self, done: "subprocess.CompletedProcess[bytes]") -> TestbedError:
        """The error of a command that ended without doing its work, in its last words."""
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"it ended with status {done.returncode}"
        return self.error(done.args[: len(self.words)], reason)

    def error(self, command: list[str], reason: str) -> TestbedError:
        """The error of this command, for this reason."""
        return TestbedError(f"{self._option} {shlex.join(command)}: {reason}")
