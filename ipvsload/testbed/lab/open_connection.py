"""What a real server, and a process that takes connections over, know of one."""

from typing import Protocol

from ipvsload.testbed.lab import packet_loss
from ipvsload.testbed.lab.due_call import DueCall


class OpenConnection(Protocol):
    """What a server does with a connection of its own."""

    @property
    def socket(self) -> packet_loss.AnySocket:
        """Its socket."""

    def reset(self) -> None:
        """End it as a process that died does."""

    def go_on(self) -> None:
        """Read, or do not, and write what was held, as the server now is."""

    @property
    def waits(self) -> DueCall | None:
        """What will be called, if it waits for a time and for nothing else."""

    def let_go(self) -> None:
        """Close this process's copy of it."""

    def take_over(self) -> None:
        """It is this process's from now on."""
