"""Stop a real server's process where it is; its kernel goes on."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _freeze(servers: ServerSet, address: str) -> None:
    servers[address].freeze()


COMMAND = ServerCommand("freeze", "frozen", _freeze)
