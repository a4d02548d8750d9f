"""Have a frozen real server go on."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _thaw(servers: ServerSet, address: str) -> None:
    servers[address].thaw()


COMMAND = ServerCommand("thaw", "thawed", _thaw)
