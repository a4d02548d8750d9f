"""Put directors back that runs on this machine have left changed: `ipvsload restore`.

What is to be done is in the journals. All of it can be done twice, and after it
was broken off: a journal goes when nothing of it is left.
"""

from collections.abc import Iterator
from contextlib import closing

from ipvsload.errors import TestbedError
from ipvsload.scenario.url import HttpTarget
from ipvsload.testbed.external.change_journal import (
    ChangeJournal,
    DirectorHead,
    HeldError,
    journal_paths,
)
from ipvsload.testbed.external.director_changes import DirectorChanges
from ipvsload.testbed.external.director_table import DirectorTable
from ipvsload.testbed.external.owner_command import OwnerCommand
from ipvsload.testbed.kind import Tell

_NAMELESS = ("", "(none)", "localhost", "director")
"""What many machines call themselves; the last one is the lab's."""


def restore(tell: Tell) -> Iterator[str]:
    """Put back what the journals say; yields what was found, for people.

    Raises TestbedError, at the end, with what is left to be done.
    """
    left: list[str] = []
    for path in journal_paths():
        try:
            with closing(ChangeJournal(path)) as journal:
                if journal.head and journal.pending:
                    yield from _restored(journal, journal.head, tell)
        except HeldError as error:
            left.append(f"left alone, because a run is going on: {error}")
        except TestbedError as error:
            left.append(str(error))
    if left:
        raise TestbedError("; ".join(left))


def _restored(journal: ChangeJournal, head: DirectorHead, tell: Tell) -> Iterator[str]:
    name = f"{head.key} on {head.node}"
    tell(f"putting back what this run changed of {name}: {head.owner.words()}")
    try:
        if head.owner.elsewhere:
            raise TestbedError(f"run ipvsload restore on {head.owner.host}, which changed it")
        table = DirectorTable(
            OwnerCommand("--sidecar", head.sidecar, directory=head.directory),
            HttpTarget("", 0),
            head.key,
        )
        table.service()
        _check_same(table, head)
        changes = DirectorChanges(table, head.set_scheduler, head.set_weight, tell, head.directory)
        changes.journal = journal
        changes.close()
    except TestbedError as error:
        what = ", ".join(f"{change} to {state.before}" for change, state in journal.pending.items())
        raise TestbedError(
            f"{name} is not put back ({error}). Left to do: {what}. Then, or if it is gone for"
            f" good, remove {journal.path}; or try ipvsload restore again"
        ) from None
    kept = ", but for what somebody else has changed since" if changes.left_alone else ""
    yield f"{name}: what that run had changed is put back{kept}"


def _check_same(table: DirectorTable, head: DirectorHead) -> None:
    """Raises TestbedError where the sidecar now reads another director's table."""
    hello = table.hello
    if hello is None or (hello.node == head.node and hello.table == head.table):
        return
    (boot, _, _), (boot_then, _, _) = hello.table.partition(" "), head.table.partition(" ")
    started_anew = boot != boot_then and head.node not in _NAMELESS
    if hello.node == head.node and (started_anew or not (hello.table and head.table)):
        return
    raise TestbedError(f"--sidecar {head.sidecar} now reads another director's table")
