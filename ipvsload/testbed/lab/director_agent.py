"""The agent in the director, beside the kernel's table.

The lab talks to it over TCP on the director's client side: it changes virtual
services and real servers over netlink, runs the sidecar, and runs programs
beside the table for `ipvsload lab exec`. It is the same program whether the
director is this machine's kernel in a namespace or a kernel of its own, where
it is the first process and sets the place up. It starts with every lab, so it
imports little: a module costs some 10 ms in user-mode Linux.
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
from typing import Any, NoReturn

from ipvsload.ipvs import connections
from ipvsload.ipvs.schedulers import module_of
from ipvsload.testbed.lab import network
from ipvsload.testbed.lab.sysctl import write_sysctls
from ipvsload.testbed.lab.topology import CONTROL_PORT, Director, director

_MODULES = "/run/modules"
_MODPROBE = "/run/modprobe"
_LINKS = {"host": ("d0", "d1"), "guest": ("vec0", "vec1"), "machine": ("eth0", "eth1")}
_PEEK = 1 << 16
_LONGEST_LINE = 1 << 22
_PATIENCE = 5.0
"""Seconds for a client to take its answer."""


def announce(**message: Any) -> None:
    """Tell the keeper, one JSON line on stdout (in a guest: the console)."""
    os.write(1, (json.dumps(message) + "\n").encode())


def prepare_guest(modules: str, schedulers: Sequence[str]) -> None:
    """Be the first process of user-mode Linux: mounts, and modules.

    The modules are not where modprobe looks, so the kernel is given a helper
    that knows (kernel/umh: /proc/sys/kernel/modprobe). Those of `schedulers`
    are loaded here, all by one program; one that is missing is missed later,
    by whoever wants it.
    """
    from ipvsload.testbed.lab.namespaces import mount

    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("run", "/run", "tmpfs")
    release = os.uname().release
    os.makedirs(f"{_MODULES}/lib/modules")
    os.symlink(f"{modules}/{release}", f"{_MODULES}/lib/modules/{release}")
    with open(_MODPROBE, "w") as file:
        # The kernel starts it with an environment of its own; see wide_registers.py.
        tunables = os.environ.get("GLIBC_TUNABLES", "")
        file.write(f"#!/bin/sh\nexport GLIBC_TUNABLES={tunables}\n")
        file.write(f'exec /sbin/modprobe -d {_MODULES} "$@"\n')
    os.chmod(_MODPROBE, 0o755)
    write_sysctls({"kernel/modprobe": _MODPROBE})
    _load(schedulers, "-d", _MODULES)


def prepare_machine(schedulers: Sequence[str]) -> None:
    """Be the first process of a virtual machine; its image's /init has done the mounts."""
    _load(schedulers, also=["virtio_net"])


def _load(schedulers: Sequence[str], *options: str, also: Sequence[str] = ()) -> None:
    names = [*also, "ip_vs", *map(module_of, schedulers)]
    subprocess.run(["modprobe", *options, "-q", "-a", *names], check=False)


def configure(place: Director, client_link: str, server_link: str) -> None:
    """Give the director its two sides and let it forward."""
    batch = network.director_side(place, client_link, server_link)
    subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)
    write_sysctls(network.DIRECTOR_SYSCTLS)


class Agent:
    """Serves control connections: one JSON line asks, one or more answer."""

    def __init__(self, ipvs: Any, listener: socket.socket) -> None:
        self._ipvs = ipvs
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._heard: dict[socket.socket, bytes] = {}

    def serve(self) -> NoReturn:
        """Answer until killed. No client can do more harm than lose its connection."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    connection, _peer = self._listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.settimeout(_PATIENCE)
                    self._selector.register(connection, selectors.EVENT_READ)
                    self._heard[connection] = b""
                    continue
                connection = key.fileobj  # type: ignore[assignment]
                try:
                    self._hear(connection)
                except (OSError, ValueError, TypeError, KeyError):
                    self._leave(connection)

    def _leave(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._heard[connection]
        connection.close()

    def _hear(self, connection: socket.socket) -> None:
        """Take what has come, up to the end of a line and not a byte more.

        What follows the line belongs to whom it calls.
        """
        seen = connection.recv(_PEEK, socket.MSG_PEEK)
        end = seen.find(b"\n") + 1
        self._heard[connection] += connection.recv(end or len(seen))
        if end:
            line, self._heard[connection] = self._heard[connection], b""
            self._answer(connection, json.loads(line))
        elif not seen or len(self._heard[connection]) > _LONGEST_LINE:
            self._leave(connection)

    def _answer(self, connection: socket.socket, request: dict[str, Any]) -> None:
        if request["do"] in ("collect", "exec"):
            if os.fork() == 0:
                connection.settimeout(None)
                self._become(connection, request)
            self._leave(connection)
            return
        verb = request.pop("do")
        try:
            answer: dict[str, Any] = {"done": self._control(verb, request)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        connection.sendall((json.dumps(answer) + "\n").encode())

    def _control(self, verb: str, arguments: dict[str, Any]) -> Any:
        match verb:
            case (
                "add_service" | "delete_service" | "set_scheduler"
                | "add_server" | "set_weight" | "delete_server"
            ):  # fmt: skip
                return getattr(self._ipvs, verb)(**arguments)
            case "chosen_servers":
                with open(connections.CONNECTIONS) as file:
                    return connections.chosen_servers(file, **arguments)
        raise ValueError(f"unknown verb {verb!r}")

    def _become(self, connection: socket.socket, request: dict[str, Any]) -> NoReturn:
        """In a forked child: carry one long request out, then end."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        status = 1
        try:
            self._listener.close()
            if request["do"] == "exec":
                from ipvsload.testbed.lab import exec_server

                exec_server.serve(connection, request["argv"])
                status = 0
            else:
                from ipvsload.sidecar import collect

                os.dup2(connection.fileno(), 0)
                os.dup2(connection.fileno(), 1)
                connection.close()
                status = collect.main(["--node", "director", "--hz", str(request["hz"])])
        except OSError:
            pass  # the other side has left
        finally:
            os._exit(status)


def main() -> NoReturn:
    """Run as `python -m ipvsload.testbed.lab.director_agent KIND ...`.

    Of what kind the director is: `host`, `guest MODULES SCHEDULER...` (user-mode
    Linux), or `machine SCHEDULER...`.
    """
    kind = sys.argv[1]
    # In a guest: how long its kernel took until this program ran.
    booted = time.clock_gettime(time.CLOCK_BOOTTIME)
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    try:
        if kind == "guest":
            prepare_guest(sys.argv[2], sys.argv[3:])
        elif kind == "machine":
            prepare_machine(sys.argv[2:])
        from ipvsload.ipvs.client import Ipvs

        # Before the network: a namespace whose kernel turns out to lack IPVS
        # must not answer on the director's addresses.
        ipvs = Ipvs()
        place = director(1)
        configure(place, *_LINKS[kind])
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        listener = socket.create_server((place.client_side, CONTROL_PORT), backlog=64)
        agent = Agent(ipvs, listener)
    except Exception as error:
        announce(unavailable=str(error) or type(error).__name__)
        os._exit(1)
    announce(ready=os.uname().release, booted=booted)
    agent.serve()


if __name__ == "__main__":
    main()
