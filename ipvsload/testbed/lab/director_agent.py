"""The agent in the director, beside the kernel's table.

The lab talks to it over TCP on the director's client side: it changes virtual
services and real servers over netlink, runs the sidecar, and runs programs
beside the table for `ipvsload lab exec`. The director may be this machine's
kernel in a namespace, or a kernel of its own, where the agent is the first
process. It starts with every lab, so it imports little: a module costs some
10 ms in user-mode Linux.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from typing import Any, NoReturn

from ipvsload.ipvs import connections
from ipvsload.testbed.lab import network
from ipvsload.testbed.lab.topology import CONTROL_PORT, director

_MODULES = "/run/modules"
_MODPROBE = "/run/modprobe"
_CHUNK = 1 << 16
_MAX_LINE = 1 << 22
_ANSWER_TIMEOUT = 5.0
"""Seconds for a client to take its answer."""


def announce(**message: Any) -> None:
    """Tell the supervisor: one JSON line on stdout, which in a guest is the console."""
    os.write(1, (json.dumps(message) + "\n").encode())


def mount_all(modules_at: str) -> list[str]:
    """Mount what the first process of user-mode Linux needs. Returns options for modprobe.

    The modules in `modules_at` are not where modprobe looks. So the kernel gets
    a helper that passes the options too (/proc/sys/kernel/modprobe, used by
    kernel/module/kmod.c).
    """
    from ipvsload.testbed.lab.namespaces import mount

    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("run", "/run", "tmpfs")
    release = os.uname().release
    os.makedirs(f"{_MODULES}/lib/modules")
    os.symlink(f"{modules_at}/{release}", f"{_MODULES}/lib/modules/{release}")
    with open(_MODPROBE, "w") as file:
        # The kernel starts it with an environment of its own; see wide_registers.py.
        tunables = os.environ.get("GLIBC_TUNABLES", "")
        file.write(f"#!/bin/sh\nexport GLIBC_TUNABLES={tunables}\n")
        file.write(f'exec /sbin/modprobe -d {_MODULES} "$@"\n')
    os.chmod(_MODPROBE, 0o755)
    network.write_sysctls({"kernel/modprobe": _MODPROBE})
    return ["-d", _MODULES]


class Agent:
    """Serves the lab's connections: a line of JSON asks, one or more lines answer."""

    def __init__(self, ipvs: Any, listener: socket.socket) -> None:
        self._ipvs = ipvs
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._received: dict[socket.socket, bytes] = {}

    def serve(self) -> NoReturn:
        """Answer until killed. A client that does wrong loses its connection, no more."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    connection, _peer = self._listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.settimeout(_ANSWER_TIMEOUT)
                    self._selector.register(connection, selectors.EVENT_READ)
                    self._received[connection] = b""
                    continue
                connection = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                try:
                    self._receive(connection)
                except (OSError, ValueError, TypeError, KeyError):
                    self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._received[connection]
        connection.close()

    def _receive(self, connection: socket.socket) -> None:
        """Take what has arrived, up to the end of a line and not a byte more.

        What follows a line that asks for the sidecar or a program is their input.
        """
        seen = connection.recv(_CHUNK, socket.MSG_PEEK)
        end = seen.find(b"\n") + 1
        self._received[connection] += connection.recv(end or len(seen))
        if end:
            line, self._received[connection] = self._received[connection], b""
            self._answer(connection, json.loads(line))
        elif not seen or len(self._received[connection]) > _MAX_LINE:
            self._drop(connection)

    def _answer(self, connection: socket.socket, request: dict[str, Any]) -> None:
        if request["do"] in ("collect", "exec"):
            if os.fork() == 0:
                connection.settimeout(None)
                self._serve_long(connection, request)
            self._drop(connection)
            return
        try:
            answer: dict[str, Any] = {"done": self._control(**request)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        connection.sendall((json.dumps(answer) + "\n").encode())

    def _control(self, do: str, **arguments: Any) -> Any:
        match do:
            case (
                "add_service" | "delete_service" | "set_scheduler"
                | "add_server" | "set_weight" | "delete_server" | "missing_schedulers"
            ):  # fmt: skip
                return getattr(self._ipvs, do)(**arguments)
            case "chosen_servers":
                with open(connections.CONNECTIONS) as file:
                    return connections.chosen_servers(file, **arguments)
        raise ValueError(f"unknown verb {do!r}")

    def _serve_long(self, connection: socket.socket, request: dict[str, Any]) -> NoReturn:
        """In a forked child: run the sidecar or a program on the connection, then end."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            self._listener.close()
            if request["do"] == "exec":
                from ipvsload.testbed.lab import exec_server

                exec_server.serve(connection, request["argv"])
            else:
                from ipvsload.sidecar import collect

                os.dup2(connection.fileno(), 0)
                os.dup2(connection.fileno(), 1)
                connection.close()
                collect.main(["--node", "director", "--hz", str(request["hz"])])
        finally:
            os._exit(0)  # nobody asks for the status


def main() -> NoReturn:
    """Run as `director_agent NUMBER CLIENT_LINK SERVER_LINK MODULES_AT MODULE...`.

    NUMBER is the director's, the links are its network cards. MODULES_AT is the
    directory of the kernel's modules where nothing is mounted yet, else "-". A
    MODULE that is missing is no error here: whoever needs it later reports that.
    """
    number, client_link, server_link, modules_at, *modules = sys.argv[1:]
    # For the first process: how long its kernel took until this program ran.
    booted = time.clock_gettime(time.CLOCK_BOOTTIME) if os.getpid() == 1 else 0.0
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    try:
        options = mount_all(modules_at) if modules_at != "-" else []
        if modules:
            subprocess.run(["modprobe", *options, "-q", "-a", *modules], check=False)
        from ipvsload.ipvs.client import Ipvs

        # Before the network is configured: where the kernel turns out to lack IPVS,
        # nothing must answer on the director's addresses.
        ipvs = Ipvs()
        here = director(int(number))
        network.run_ip(network.director_side(here, client_link, server_link))
        network.write_sysctls(network.DIRECTOR_SYSCTLS)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        listener = socket.create_server((here.client_side, CONTROL_PORT), backlog=64)
        agent = Agent(ipvs, listener)
    except Exception as error:
        announce(unavailable=str(error) or type(error).__name__)
        os._exit(1)
    announce(ready={"release": os.uname().release, "booted": booted})
    agent.serve()


if __name__ == "__main__":
    main()
