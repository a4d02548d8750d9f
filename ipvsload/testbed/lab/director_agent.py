"""The agent in the director, beside the kernel's table.

The lab talks to it over TCP on the director's client side: it changes virtual
services and real servers over netlink, runs the sidecar, and runs programs
beside the table for `ipvsload lab exec`. The director may be this machine's
kernel in a namespace, or a kernel of its own, where the agent is the first
process. Where there are several directors, it serves them all, and changes all
alike (`hosted_directors.py`). It starts with every lab, so it imports little: a module costs some
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
from collections.abc import Sequence
from itertools import chain
from typing import Any, NoReturn

from ipvsload.ipvs import connections, settings
from ipvsload.testbed.lab import network
from ipvsload.testbed.lab.hosted_directors import HostedDirector, host_directors
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

    def __init__(self, directors: Sequence[HostedDirector], listener: socket.socket) -> None:
        self._directors = directors
        self._nat: Any = None
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
        """Do it to every director; what the first of them answers is the answer of all."""
        match do:
            case (
                "add_service" | "delete_service" | "set_scheduler"
                | "add_server" | "set_weight" | "delete_server" | "missing_schedulers"
                | "netmask" | "timeouts" | "set_timeouts"
            ):  # fmt: skip
                answers = [getattr(one.ipvs, do)(**arguments) for one in self._directors]
                return answers[0]
            case "set_neighbours":
                for one in self._directors:
                    with one:
                        one.set_neighbours(**arguments)
                return None
            case "read_sysctls" | "write_sysctls" | "refused_sysctls":
                answers = [self._settings(one, do, arguments) for one in self._directors]
                return answers[0]
            case "chosen_servers":
                # A client's port is in the table of one director only.
                tables = map(self._connections, self._directors)
                return connections.chosen_servers(chain.from_iterable(tables), **arguments)
            case "kernel_build":
                with open("/proc/version") as file:
                    return file.read().strip()
            case "lc_law":
                from ipvsload.testbed.lab.lc_law_probe import lc_law

                return lc_law()
            case "nat":
                return self._balance_without_ipvs(**arguments)
        raise ValueError(f"unknown verb {do!r}")

    @staticmethod
    def _settings(director: HostedDirector, do: str, arguments: dict[str, Any]) -> Any:
        with director:
            return getattr(settings, do)(**arguments)

    @staticmethod
    def _connections(director: HostedDirector) -> list[str]:
        with director, open(connections.CONNECTIONS) as file:
            return file.readlines()

    def _balance_without_ipvs(self, change: str, **arguments: Any) -> Any:
        from ipvsload.testbed.lab.nat_directors import NatDirectors

        self._nat = self._nat or NatDirectors(self._directors)
        return self._nat.change(change, **arguments)

    def _serve_long(self, connection: socket.socket, request: dict[str, Any]) -> NoReturn:
        """In a forked child: run the sidecar or a program on the connection, then end."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            self._listener.close()
            if request["do"] == "exec":
                from ipvsload.testbed.lab import exec_server

                director = self._directors[request["director"] - 1]
                director.enter()
                exec_server.serve(connection, request["argv"], director.name)
            else:
                from ipvsload.testbed.lab.directors_sidecar import collect

                os.dup2(connection.fileno(), 0)
                os.dup2(connection.fileno(), 1)
                connection.close()
                collect(self._directors, request["hz"])
        finally:
            os._exit(0)  # nobody asks for the status


def main() -> NoReturn:
    """Run as `director_agent DIRECTORS FAMILY CLIENT_LINK SERVER_LINK MODULES_AT MODULE...`.

    DIRECTORS is how many, FAMILY one of addresses.PLANS, the links are the network
    cards. MODULES_AT is the directory of the kernel's modules where nothing is
    mounted yet, else "-". A MODULE that is missing is no error here: whoever needs
    it later reports that.
    """
    count, family, client_link, server_link, modules_at, *modules = sys.argv[1:]
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
        directors = host_directors(ipvs, int(count), family, client_link, server_link)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        listener = socket.create_server((director(1).client_side, CONTROL_PORT), backlog=64)
        agent = Agent(directors, listener)
    except Exception as error:
        announce(unavailable=str(error) or type(error).__name__)
        os._exit(1)
    announce(ready={"release": os.uname().release, "booted": booted})
    agent.serve()


if __name__ == "__main__":
    main()
