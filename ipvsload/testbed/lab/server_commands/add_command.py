"""Have a new real server listen; after its death with the limits that it had."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _add(servers: ServerSet, address: str, *, transparent: bool = False) -> None:
    servers.add(address, transparent=transparent)


COMMAND = ServerCommand("add", "added", _add)
