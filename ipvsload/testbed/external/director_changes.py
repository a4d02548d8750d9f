"""Changes of a director that is there already, by commands that its owner gave.

A command is split into words as a shell would, and is run without a shell;
{service}, {scheduler}, {server} and {weight} in it are replaced. Each change
remembers what was before, and the same commands put that back.
"""

import shlex
import subprocess
from collections.abc import Callable
from functools import partial

from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.keys import split_key
from ipvsload.scenario.capabilities import Capability
from ipvsload.testbed.base import ONE_CLIENT

FIXED = "this balancer is not ours to change: change it where it is"
_WITHIN = 30.0


class DirectorChanges:
    """`scheduler` and `weight` are the commands; "" where there is none.

    Raises UsageError for one that cannot be split, or has no place for what it sets.
    """

    def __init__(self, scheduler: str, weight: str) -> None:
        self.scheduler = _split("--set-scheduler", scheduler, ("{scheduler}",))
        self.weight = _split("--set-weight", weight, ("{server}", "{weight}"))
        self._undo = dict[tuple[str, ...], Callable[[], None]]()
        """For each thing that was changed, what gives it back its first value."""

    def lacks(self) -> dict[Capability, str]:
        """What cannot be changed, with the reason for each; see `BalancerControl.lacks`."""
        found: dict[Capability, str] = {"scale": FIXED, "kill": FIXED, "clients": ONE_CLIENT}
        if not self.scheduler:
            found["scheduler"] = f"{FIXED}, or give --set-scheduler"
        if not self.weight:
            found["weight"] = f"{FIXED}, or give --set-weight"
        return found

    def set_scheduler(self, service: str, scheduler: str, before: str) -> None:
        """Run the command. Raises TestbedError where there is none, or it fails."""
        self._demand("scheduler")
        put_back = partial(_run, self.scheduler, service=service, scheduler=before)
        self._undo.setdefault((service,), put_back)
        _run(self.scheduler, service=service, scheduler=scheduler)

    def set_weight(self, service: str, server: str, weight: int, before: int | None) -> None:
        """Run the command. Raises TestbedError where there is none, or it fails."""
        self._demand("weight")
        if before is not None:
            put_back = partial(
                _run, self.weight, service=service, server=server, weight=str(before)
            )
            self._undo.setdefault((service, server), put_back)
        _run(self.weight, service=service, server=server, weight=str(weight))

    def _demand(self, change: Capability) -> None:
        if reason := self.lacks().get(change):
            raise TestbedError(reason)

    def undo(self) -> None:
        """Put everything back as it was; does nothing the second time.

        Raises TestbedError with all that could not be put back; calling it again
        tries that again.
        """
        failed: list[str] = []
        for change, put_back in list(self._undo.items()):
            try:
                put_back()
                del self._undo[change]
            except TestbedError as error:
                failed.append(str(error))
        if failed:
            raise TestbedError("; ".join(failed))


def _split(option: str, command: str, needed: tuple[str, ...]) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{option} {command!r}: {error}") from None
    missing = [place for place in needed if words and place not in command]
    if missing:
        raise UsageError(f"{option} {command!r} has no {' and no '.join(missing)} in it")
    return words


def _run(words: list[str], **values: str) -> None:
    # Tools take ADDRESS:PORT, or a mark, without the protocol.
    values["service"] = split_key(values["service"]).target
    command = [_replaced(word, values) for word in words]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_WITHIN
        )
    except OSError as error:
        raise TestbedError(f"{command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise TestbedError(f"{shlex.join(command)}: no end within {_WITHIN:.0f} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        reason = said[0] if said else f"status {done.returncode}"
        raise TestbedError(f"{shlex.join(command)}: {reason}")


def _replaced(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word
