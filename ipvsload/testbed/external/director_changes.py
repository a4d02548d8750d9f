"""Changes of a director that is there already, by commands that its owner gave.

{service}, {scheduler}, {options}, {server} and {weight} in a command are replaced. Each change
is in the journal before it is made. It is put back by the same commands, at the end
of the run or by `ipvsload restore`, unless somebody else has changed it since.
"""

import shlex
import time
from pathlib import Path

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import split_key
from ipvsload.ipvs.schedulers import ONE_PACKET, flag_bits, flag_names
from ipvsload.ipvs.table import VirtualService
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.scenario.capabilities import Capability
from ipvsload.testbed.base import LAB_ONLY
from ipvsload.testbed.external.change_journal import (
    Change,
    ChangeJournal,
    ChangeState,
    DirectorHead,
    HeldError,
    journal_path,
)
from ipvsload.testbed.external.director_table import DirectorTable
from ipvsload.testbed.external.owner_command import (
    OPTIONS,
    WITHIN_S,
    NotStartedError,
    OwnerCommand,
)
from ipvsload.testbed.external.run_owner import RunOwner
from ipvsload.testbed.kind import Tell

FIXED = "this balancer is not ours to change: change it where it is"

_SCHEDULER = Change()


class DirectorChanges:
    """Changes the service of `table` by these commands; "" where there is none.

    They run in `directory`, or here. Raises UsageError for one that cannot be
    split, or has no place for what it sets.
    """

    def __init__(
        self, table: DirectorTable, scheduler: str, weight: str, tell: Tell, directory: str = ""
    ) -> None:
        self._table, self._tell = table, tell
        self._commands = {
            "scheduler": OwnerCommand("--set-scheduler", scheduler, ("{scheduler}",), directory),
            "weight": OwnerCommand("--set-weight", weight, ("{server}", "{weight}"), directory),
        }
        self.journal: ChangeJournal | None = None
        self.left_alone: list[Change] = []
        """What somebody else has changed since."""

    def lacks(self) -> dict[Capability, str]:
        """What cannot be changed, with the reason for each; see `BalancerControl.lacks`."""
        found: dict[Capability, str] = {"scale": FIXED, "faults": FIXED, **LAB_ONLY}
        if self._commands["scheduler"].has(OPTIONS):
            del found["flags"]
        else:
            place = f"the lab sets them, or a command of --set-scheduler with {OPTIONS} in it"
            found["flags"] = f"a scheduler's flags are as they are set here; {place}"
            found["persistence"] = f"persistence is as it is set here; {place}"
        if not self._commands["scheduler"]:
            found["scheduler"] = f"{FIXED}, or give --set-scheduler"
        if not self._commands["weight"]:
            found["weight"] = f"{FIXED}, or give --set-weight"
        return found

    def take(self, service: VirtualService) -> None:
        """Have this service for ourselves, if there is a command that may change it.

        Raises TestbedError where another run has it, or has left it changed.
        """
        hello = self._table.hello
        if self.journal or hello is None:
            return
        path = journal_path(hello.node, hello.table, service.key)
        changing = any(self._commands.values())
        if not changing and not path.exists():
            return
        name = f"{service.key} on {hello.node}"
        try:
            journal = ChangeJournal(path)
        except HeldError as error:
            raise HeldError(f"one run at a time may change a service: {error}") from None
        if journal.head and journal.pending:
            words = journal.head.owner.words()
            journal.close()
            raise TestbedError(
                f"a run that was broken off has left {name} changed ({words}): put it back first"
                " with ipvsload restore"
            )
        if not changing:
            journal.close()
            return
        journal.begin(
            DirectorHead(
                RunOwner.here(),
                hello.node,
                hello.table,
                service.key,
                self._table.command.text,
                self._commands["scheduler"].text,
                self._commands["weight"].text,
                str(Path.cwd()),
                service.persistent_timeout,
            )
        )
        self.journal = journal

    def set_scheduler(
        self, scheduler: str, settings: BalancerSettings, now: VirtualService
    ) -> VirtualService:
        """Change it where it is another now; the table as it shows that.

        Raises TestbedError where that fails.
        """
        flags = flag_bits(scheduler, settings.flags)
        wanted = self._wording(scheduler, flags, settings.persistence)
        before = self._shown(now, _SCHEDULER)
        if before in (wanted, None):
            return now
        self._set(_SCHEDULER, before, wanted)
        found = self._wait_for(_SCHEDULER, wanted)
        self._tell_of_persistence(found)
        return found

    def _wording(self, scheduler: str, flags: int, persistence: int) -> str:
        """The scheduler, with ipvsadm's options behind it where the command sets those, too."""
        words = [scheduler]
        if self._commands["scheduler"].has(OPTIONS):
            if names := flag_names(scheduler, flags):
                words += ["-b", ",".join(names)]
            if flags & ONE_PACKET:
                words.append("-o")
            if persistence:
                words += ["-p", str(persistence)]
        return " ".join(words)

    def _shown(self, service: VirtualService, change: Change) -> str | None:
        """What the table shows of this; None where it has no such server."""
        if not change.server:
            return self._wording(service.scheduler, service.flags, service.persistent_timeout)
        weights = {server.address: str(server.weight) for server in service.servers}
        return weights.get(change.server)

    def set_weight(self, server: str, weight: int, before: int | None) -> None:
        """Change it. Raises TestbedError where that fails, or it is not known what it was."""
        if before is None:
            raise TestbedError(f"nothing tells the weight of {server}, so it could not be put back")
        self._set(Change(server), str(before), str(weight))

    def put_back_weights(self) -> None:
        """Give the real servers their weights again, so that runs begin alike."""
        if self.journal and any(change.server for change in self.journal.pending):
            self._put_back([change for change in self.journal.pending if change.server])

    def close(self) -> None:
        """Put everything back and let go of the director; does nothing the second time.

        Raises TestbedError with all that could not be put back, which stays in the
        journal; calling it again tries that again.
        """
        if self.journal is None:
            return
        self._put_back([*self.journal.pending])
        self.journal.close()
        self.journal = None

    def _held(self) -> tuple[ChangeJournal, DirectorHead]:
        if self.journal is None or self.journal.head is None:
            raise TestbedError("the director is not taken")
        return self.journal, self.journal.head

    def _set(self, change: Change, before: str, to: str) -> None:
        command = self._commands["weight" if change.server else "scheduler"]
        if not command:
            raise TestbedError(self.lacks()["weight" if change.server else "scheduler"])
        journal = self._held()[0]
        untouched = change not in journal.pending
        journal.changing(change, before, to, time.time())
        try:
            self._run(change, to)
        except NotStartedError:
            if untouched:
                journal.settled(change)
            raise

    def _run(self, change: Change, value: str) -> None:
        command, values = self._filled(change, value)
        try:
            done = command.run(**values)
        finally:
            self._held()[0].changed(change)
        if done.returncode:
            raise command.failure(done)

    def _filled(self, change: Change, value: str) -> tuple[OwnerCommand, dict[str, str]]:
        # Tools take ADDRESS:PORT, or a mark, without the protocol.
        values = {"service": split_key(self._held()[1].key).target}
        if change.server:
            return self._commands["weight"], {**values, "server": change.server, "weight": value}
        scheduler, _, options = value.partition(" ")
        return self._commands["scheduler"], {**values, "scheduler": scheduler, "options": options}

    def _put_back(self, changes: list[Change]) -> None:
        journal, head = self._held()
        failed: list[str] = []
        for change in reversed(changes):
            state = journal.pending[change]
            ended = state.ended
            try:
                self._wait_for_the_last_command(state)
                if self._is_ours(change, state):
                    self._run(change, state.before)
                    service = self._wait_for(change, state.before)
                    self._tell(f"{head.key}: {change} {state.before} again")
                    self._tell_of_persistence(service)
                journal.settled(change)
            except TestbedError as error:
                if ended and self._stands(change, state):
                    self._tell(
                        f"{head.key}: {change} is {state.before}, as before, though a command"
                        f" failed ({error}): look at the director's configuration, if it has one"
                    )
                    journal.settled(change)
                    continue
                command, values = self._filled(change, state.before)
                by_hand = shlex.join(command.filled(**values))
                failed.append(f"{change} {state.before} is not put back: {error}; do: {by_hand}")
        if failed:
            raise TestbedError("; ".join(failed))

    def _wait_for(self, change: Change, value: str) -> VirtualService:
        return self._table.wait_for(lambda now: self._shown(now, change), value, str(change))

    def _stands(self, change: Change, state: ChangeState) -> bool:
        """Whether the table shows what was there before; False where it cannot be read."""
        try:
            return self._shown(self._table.service(), change) == state.before
        except TestbedError:
            return False

    def _is_ours(self, change: Change, state: ChangeState) -> bool:
        """Whether the table shows what we set or what was there before.

        Also where it is as before, its configuration may not be: a command that was
        broken off may have written that and not yet loaded it.
        """
        service = self._table.service()
        now = self._shown(service, change)
        if now is None:
            self._tell(f"{service.key}: {change.server} is not in the table any more")
        elif now not in (state.before, *state.ours):
            self._tell(
                f"{service.key}: {change} is {now}, which is neither what the run set"
                f" ({', '.join(dict.fromkeys(state.ours))}) nor what was there before"
                f" ({state.before}): somebody has changed it since, and it is left so"
            )
            self.left_alone.append(change)
        else:
            return True
        return False

    def _tell_of_persistence(self, service: VirtualService) -> None:
        if self._commands["scheduler"].has(OPTIONS):
            return  # it is a part of what was set
        before = self._held()[1].persistent_timeout
        if service.persistent_timeout != before:
            self._tell(
                f"{service.key}: persistence was {before} s and is {service.persistent_timeout} s"
                " (0: none) since the command of --set-scheduler: ipvsadm -E sets all of a"
                " service, so give it -p, too"
            )

    def _wait_for_the_last_command(self, state: ChangeState) -> None:
        """A command whose run was killed may go on, and must not come after ours."""
        left = 0.0 if state.ended else state.begun_s + WITHIN_S - time.time()
        if 0 < left <= WITHIN_S:
            self._tell(f"waiting {left:.0f} s: a command of that run may still be at work")
            time.sleep(left)
