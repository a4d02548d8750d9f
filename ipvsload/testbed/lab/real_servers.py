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

import json
import os
import signal
import sys
from typing import Any, NoReturn

from ipvsload.descriptors import raise_limit
from ipvsload.testbed.lab.server_commands import COMMANDS
from ipvsload.testbed.lab.server_loop import ServerLoop
from ipvsload.testbed.lab.server_set import ServerSet

MAX_LINE = 65_536
_TOO_LONG = {"error": f"a line of more than {MAX_LINE} bytes"}


def command(servers: ServerSet, line: bytes) -> dict[str, Any]:
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
        COMMANDS[verb].carry_out(servers, value, **asked)
    except TypeError as error:
        return {"error": f"{verb}: {error}"}
    except OSError as error:
        return {"error": f"{value}: {os.strerror(error.errno) if error.errno else error}"}
    except ValueError as error:
        return {"error": str(error)}
    return {COMMANDS[verb].done: value}


class CommandLines:
    """Does what the lines on stdin ask, one after the other."""

    def __init__(self, servers: ServerSet) -> None:
        self._servers = servers
        self._begun = b""
        self._skipping = False

    def read(self) -> None:
        """Take what has come. At the end the process ends."""
        try:
            data = os.read(0, MAX_LINE)
        except OSError:  # the owner went without reading all of our answers
            data = b""
        if not data:
            os._exit(0)
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            if not self._skipping:
                self._servers.overflow.tell(line)
                _write(command(self._servers, line + b"\n") if len(line) <= MAX_LINE else _TOO_LONG)
            self._skipping = False
        if len(self._begun) > MAX_LINE:
            if not self._skipping:
                _write(_TOO_LONG)
            self._begun, self._skipping = b"", True


def serve(open_files: int, tell_to: int) -> NoReturn:
    """Serve until stdin ends, with so many open files at most."""
    loop = ServerLoop()
    lines = CommandLines(ServerSet(loop, open_files, command, tell_to))
    loop.watch(0, lines.read)
    _write({"ready": True})
    loop.run()


def _write(fact: dict[str, Any]) -> None:
    try:
        os.write(1, json.dumps(fact).encode() + b"\n")
    except ConnectionError:
        os._exit(0)


def main() -> None:
    """Run as a child: `python -m ipvsload.testbed.lab.real_servers [DESCRIPTOR]`."""
    # Ctrl-C reaches the whole process group, but only the owner ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(raise_limit(), int(sys.argv[1]) if sys.argv[1:] else -1)


if __name__ == "__main__":
    main()
