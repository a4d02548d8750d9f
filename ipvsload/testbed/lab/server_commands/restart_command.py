"""End a real server's process, where it has not ended, and start a new one that is well."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _restart(servers: ServerSet, address: str, *, transparent: bool = False) -> None:
    if address in servers:
        servers.kill(address)
    servers.add(address, transparent=transparent)


COMMAND = ServerCommand("restart", "restarted", _restart)
