"""Have a real server work faster or slower than it usually does."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _set_speed(servers: ServerSet, address: str, *, factor: float) -> None:
    servers[address].set_speed(factor)


COMMAND = ServerCommand("speed", "speed set", _set_speed)
