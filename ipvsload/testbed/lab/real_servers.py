"""The lab's real servers: one process that is up to a thousand of them.

A process for each server would cost too much on two cores that also run the
generator and the director's kernel. So one process listens on every address.
A server that is killed loses its listener, and its connections are reset, as if
a process of its own had died. The lab starts this process as a child and talks
to it over stdin and stdout, so that it ends when its owner does.

A line in, a line out, both JSON. The first key of a line is a command, one file
of `server_commands/`; its value is a server's address, and other keys are what
that command asks for besides:

    {"add": "198.51.100.11:80"}   ->  {"added": "198.51.100.11:80"}
    a failure                     ->  {"error": "what is wrong"}

The first line out is {"ready": true}. At the end of stdin it exits at once.
An argument is the descriptor of a socket to which they tell how busy they are
(`occupancy_teller.py`), from the command "tell" on.
"""

import asyncio
import json
import os
import signal
import sys
from io import FileIO
from typing import Any

import uvloop

from ipvsload.descriptors import raise_limit
from ipvsload.testbed.lab.server_commands import COMMANDS
from ipvsload.testbed.lab.server_set import ServerSet

MAX_LINE = 65_536


async def command(servers: ServerSet, line: bytes) -> dict[str, Any]:
    """Do what one line of stdin asks. Returns the answer."""
    try:
        asked = json.loads(line)
    except ValueError:
        return {"error": f"not JSON: {line[:80]!r}"}
    verb = next(iter(asked), "") if isinstance(asked, dict) else ""
    if verb not in COMMANDS:
        known = ", ".join(COMMANDS)
        return {"error": f"no command; there are {known}: {line[:80]!r}"}
    value = asked.pop(verb)
    try:
        await COMMANDS[verb].carry_out(servers, value, **asked)
    except TypeError as error:
        return {"error": f"{verb}: {error}"}
    except OSError as error:
        # Not asyncio's own text, which has the address again.
        return {"error": f"{value}: {os.strerror(error.errno) if error.errno else error}"}
    except ValueError as error:
        return {"error": str(error)}
    return {COMMANDS[verb].done: value}


async def serve(tell_to: int) -> None:
    """Serve until stdin ends."""
    servers = ServerSet(tell_to)
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
    """Run as a child: `python -m ipvsload.testbed.lab.real_servers [DESCRIPTOR]`."""
    # Ctrl-C reaches the whole process group, but only the owner ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_limit()
    uvloop.run(serve(int(sys.argv[1]) if sys.argv[1:] else -1))


if __name__ == "__main__":
    main()
