"""Have a new real server listen; after its death with the limits that it had."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


async def _add(servers: ServerSet, address: str) -> None:
    await servers.add(address)


COMMAND = ServerCommand("add", "added", _add)
