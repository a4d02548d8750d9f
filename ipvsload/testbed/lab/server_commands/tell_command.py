"""Have the real servers tell how busy they are, so often a second; 0: no more."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _tell(servers: ServerSet, hz: float) -> None:
    servers.teller.tell(hz)


COMMAND = ServerCommand("tell", "telling", _tell)
