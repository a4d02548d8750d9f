"""End a real server as if its process had died: no listener, and its connections are reset."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _kill(servers: ServerSet, address: str) -> None:
    servers.kill(address)


COMMAND = ServerCommand("kill", "killed", _kill)
