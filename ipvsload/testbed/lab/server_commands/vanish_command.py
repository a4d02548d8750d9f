"""Lose a real server's packets, both ways."""

from ipvsload.testbed.lab.server_commands.base import ServerCommand
from ipvsload.testbed.lab.server_set import ServerSet


def _vanish(servers: ServerSet, address: str) -> None:
    servers[address].vanish()


COMMAND = ServerCommand("vanish", "vanished", _vanish)
