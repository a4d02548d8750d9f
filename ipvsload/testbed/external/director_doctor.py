"""What `ipvsload doctor --testbed external` finds: what runs left behind, and the table."""

from collections.abc import Iterator
from contextlib import closing

from ipvsload.errors import TestbedError
from ipvsload.scenario.url import read_url
from ipvsload.testbed.doctor_finding import DoctorFinding
from ipvsload.testbed.external.change_journal import ChangeJournal, HeldError, journal_paths
from ipvsload.testbed.external.director_table import DirectorTable
from ipvsload.testbed.external.owner_command import OwnerCommand
from ipvsload.testbed.external.service_choice import canonical_key


def examine(url: str, sidecar: str, service_key: str) -> Iterator[DoctorFinding]:
    """Look at this user's journals on this machine, and at the table where one is named.

    Changes nothing. Raises UsageError for a bad option.
    """
    found = [*_journals(), _table(url, sidecar, service_key)]
    # The last one is the verdict.
    yield from sorted(found, key=lambda finding: not finding.good)


def _table(url: str, sidecar: str, service_key: str) -> DoctorFinding:
    if not url:
        return DoctorFinding("director", False, "say where it is: --url http://ADDRESS")
    command = OwnerCommand("--sidecar", sidecar)
    key = canonical_key(service_key) if service_key else ""
    table = DirectorTable(command, read_url(url), key)
    try:
        service = table.service()
    except TestbedError as error:
        return DoctorFinding("director", False, str(error))
    hello = table.hello
    kernel = f" (kernel {hello.kernel}, {hello.node})" if hello else ""
    many = f"{len(service.servers)} real server{'s' * (len(service.servers) != 1)}"
    text = f"{service.key}, {service.scheduler}, {many}{kernel}"
    return DoctorFinding("director", True, f"{text}; {table.guess}" if table.guess else text)


def _journals() -> Iterator[DoctorFinding]:
    for path in journal_paths():
        try:
            with closing(ChangeJournal(path)) as journal:
                if journal.head and journal.pending:
                    yield DoctorFinding(
                        "journal",
                        False,
                        f"a run that was broken off has left {journal.head.key} on"
                        f" {journal.head.node} changed ({journal.head.owner.words()}):"
                        " ipvsload restore",
                    )
        except HeldError as error:
            yield DoctorFinding("journal", True, f"a run is going on: {error}")
        except TestbedError as error:
            yield DoctorFinding("journal", False, str(error))
