"""Changes of a director that is there already, by commands that its owner gave.

{service}, {scheduler}, {server} and {weight} in a command are replaced. Each change
remembers what was before, and the same commands put that back.
"""

from collections.abc import Callable
from functools import partial

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import split_key
from ipvsload.scenario.capabilities import Capability
from ipvsload.testbed.base import ONE_CLIENT
from ipvsload.testbed.external.owner_command import OwnerCommand

FIXED = "this balancer is not ours to change: change it where it is"


class DirectorChanges:
    """`scheduler` and `weight` are the commands; "" where there is none.

    Raises UsageError for one that cannot be split, or has no place for what it sets.
    """

    def __init__(self, scheduler: str, weight: str) -> None:
        self.scheduler = OwnerCommand("--set-scheduler", scheduler, ("{scheduler}",))
        self.weight = OwnerCommand("--set-weight", weight, ("{server}", "{weight}"))
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
        put_back = partial(_run, self.scheduler, service, scheduler=before)
        self._undo.setdefault((service,), put_back)
        _run(self.scheduler, service, scheduler=scheduler)

    def set_weight(self, service: str, server: str, weight: int, before: int | None) -> None:
        """Run the command. Raises TestbedError where there is none, or it fails."""
        self._demand("weight")
        if before is not None:
            put_back = partial(_run, self.weight, service, server=server, weight=str(before))
            self._undo.setdefault((service, server), put_back)
        _run(self.weight, service, server=server, weight=str(weight))

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


def _run(command: OwnerCommand, service: str, **values: str) -> None:
    # Tools take ADDRESS:PORT, or a mark, without the protocol.
    done = command.run(service=split_key(service).target, **values)
    if done.returncode:
        raise command.failure(done)
