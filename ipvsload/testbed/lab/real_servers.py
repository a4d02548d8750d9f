"""The lab's real servers: one process that is up to a thousand of them.

A process for each server would cost too much on two cores that also run the
generator and the director's kernel. So one process listens on every address.
A server that is killed loses its listener, and its connections are reset, as if
a process of its own had died. The lab starts this process as a child and talks
to it over stdin and stdout, so that it ends when its owner does.

A line in, a line out, both JSON:

    {"add": "198.51.100.11:80"}   ->  {"added": "198.51.100.11:80"}
    {"kill": "198.51.100.11:80"}  ->  {"killed": "198.51.100.11:80"}
    anything else, or a failure   ->  {"error": "what is wrong"}

The first line out is {"ready": true}. At the end of stdin it exits at once.
"""

import asyncio
import json
import os
import signal
from functools import partial
from io import FileIO
from typing import Any

import uvloop

from ipvsload.descriptors import raise_limit
from ipvsload.ipvs.keys import parse_endpoint, split_endpoint
from ipvsload.testbed.lab.server_connection import ServerConnection

MAX_LINE = 65_536
_BACKLOG = 65_535
"""The kernel takes net.core.somaxconn instead where that is less (net/socket.c, __sys_listen)."""


class RealServers:
    """All listeners of this process, by address:port."""

    def __init__(self) -> None:
        self._servers: dict[str, tuple[asyncio.Server, set[ServerConnection]]] = {}

    async def add(self, name: str) -> None:
        """Listen on address:port (`[address]:port` with IPv6).

        Raises:
            ValueError: `name` is not an address and a port, or is listened on already.
            OSError: the address cannot be bound.
        """
        if name in self._servers:
            raise ValueError(f"{name} is there already")
        try:
            _, _, port = parse_endpoint(name)  # an address, not a host's name
        except ValueError:
            port = 0
        if not port:
            raise ValueError(f"not an address:port: {name!r}")
        connections: set[ServerConnection] = set()
        listener = await asyncio.get_running_loop().create_server(
            partial(ServerConnection, name, connections), *split_endpoint(name), backlog=_BACKLOG
        )
        self._servers[name] = listener, connections

    async def kill(self, name: str) -> None:
        """Close the listener and reset the connections of a server.

        Raises:
            ValueError: there is no such server.
        """
        if name not in self._servers:
            raise ValueError(f"there is no server {name}")
        listener, connections = self._servers.pop(name)
        listener.close()
        for connection in list(connections):
            connection.reset()
        await listener.wait_closed()


async def command(servers: RealServers, line: bytes) -> dict[str, Any]:
    """Do what one line of stdin asks. Returns the answer."""
    try:
        asked = json.loads(line)
    except ValueError:
        return {"error": f"not JSON: {line[:80]!r}"}
    match asked:
        case {"add": str(name), **rest} if not rest:
            act, done = servers.add, "added"
        case {"kill": str(name), **rest} if not rest:
            act, done = servers.kill, "killed"
        case _:
            return {"error": f"neither add nor kill: {line[:80]!r}"}
    try:
        await act(name)
    except OSError as error:
        # Not asyncio's own text, which has the address again.
        return {"error": f"{name}: {os.strerror(error.errno) if error.errno else error}"}
    except ValueError as error:
        return {"error": str(error)}
    return {done: name}


async def serve() -> None:
    """Serve until stdin ends."""
    servers = RealServers()
    stdin = asyncio.StreamReader(limit=MAX_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdin), FileIO(0, closefd=False)
    )
    _write({"ready": True})
    while True:
        try:
            line = await stdin.readline()
        except ValueError:
            _write({"error": f"a line of more than {MAX_LINE} bytes"})
            continue
        except OSError:  # the owner went without reading all of our answers
            os._exit(0)
        if not line:
            os._exit(0)
        _write(await command(servers, line))


def _write(fact: dict[str, Any]) -> None:
    try:
        os.write(1, json.dumps(fact).encode() + b"\n")
    except ConnectionError:
        os._exit(0)


def main() -> None:
    """Run as a child: `python -m ipvsload.testbed.lab.real_servers`."""
    # Ctrl-C reaches the whole process group, but only the owner ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_limit()
    uvloop.run(serve())


if __name__ == "__main__":
    main()
