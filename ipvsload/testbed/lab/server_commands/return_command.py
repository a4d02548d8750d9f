"""Have a vanished real server's packets arrive again."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _come_back(servers: ServerSet, address: str) -> None:
    servers[address].come_back()


COMMAND = ServerCommand("return", "returned", _come_back)
