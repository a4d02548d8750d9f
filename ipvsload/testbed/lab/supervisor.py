"""The lab's own first process: everything in a lab lives and ends with it.

It is process 1 of a PID namespace. Whatever ends it (its owner leaves, its
owner is killed, an error) makes the kernel kill all other processes of that
namespace. With the last process the kernel removes the network namespaces, the
cables and the mounts. So there is no clean-up that could be forgotten.

The owner talks to it over one socket (`descriptor_messages.py`).
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from ipvsload.netfilter.nat_kinds import balancing_modules
from ipvsload.testbed.lab import descriptor_messages, direct_routing, network
from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab.director_process import DirectorKernel
from ipvsload.testbed.lab.kernels import AUTO
from ipvsload.testbed.lab.kernels.base import Place
from ipvsload.testbed.lab.kernels.providers import KERNELS
from ipvsload.testbed.lab.process_loop import ProcessLoop
from ipvsload.testbed.lab.socket_broker import SocketBroker
from ipvsload.testbed.lab.source_ports import SourcePorts
from ipvsload.testbed.lab.topology import CABLES, Topology


class Supervisor:
    """Builds a lab; `run` keeps it until the owner leaves.

    It lives in the client namespace, so that the sockets which the broker makes
    belong there. `parent` becomes readable when the process outside of the PID
    namespace, which waits for this one, has ended. `kernel` and `schedulers` are
    as `Lab` has them. `processor` is a number that differs between labs.

    Raises OSError or RuntimeError where the lab cannot be built.
    """

    def __init__(
        self,
        owner: socket.socket,
        parent: int,
        topology: Topology,
        kernel: str,
        schedulers: Sequence[str],
        *,
        processor: int,
    ) -> None:
        self._owner = owner
        self._loop = ProcessLoop()
        self._loop.watch(owner.fileno(), self._serve_owner)
        self._loop.watch(parent, _end)
        # While still in the owner's network namespace, in which its name is known.
        sources = SourcePorts(topology.client_addresses, topology)
        broker = SocketBroker(sources, self._loop)
        kernels = [KERNELS[name] for name in (KERNELS if kernel == AUTO else (kernel,))]
        modules = ["ip_vs", *balancing_modules(schedulers)]
        import_path = _import_path()
        files = [path for provider in kernels for path in provider.files()]
        python = sys.executable, sys.prefix, sys.base_prefix
        read = [*import_path, *python, str(Path.cwd()), *files]
        scratch = ns.private_mounts(keep_visible=read)
        self._client = ns.new_network()
        self._server = ns.new_network()
        namespace = self._wire_director()
        packet_sockets, unwatched = _packet_sockets()
        family = topology.family
        place = Place(topology.directors, scratch, modules, import_path, processor, family=family)
        DirectorKernel(place, kernels, namespace, self._client, self._loop, self._tell)
        ns.setns(self._server)
        network.configure(network.server_sysctls(family), network.server_side(topology), family)
        direct_routing.wire_servers(topology, self._path(self._client))
        if direct_routing.has_tunnels(topology):
            self._start_decapsulator(topology)
        real_servers, occupancy = self._start_real_servers()
        ns.setns(self._client)  # and stay there
        network.configure(network.client_sysctls(family), network.client_side(topology), family)
        network.run_ip(network.control_side(topology))
        direct_routing.wire_clients(topology)
        with real_servers, occupancy, open("/proc/self/net/netstat") as netstat:
            ends = real_servers.fileno(), occupancy.fileno()
            descriptors = self._client, netstat.fileno(), *ends, *packet_sockets
            self._tell("wired", *descriptors, broker=broker.name, unwatched=unwatched)
        for descriptor in packet_sockets:
            os.close(descriptor)

    def run(self) -> NoReturn:
        """Serve until the owner leaves."""
        self._loop.run()

    def _tell(self, event: str, *descriptors: int, **message: Any) -> None:
        with contextlib.suppress(OSError):
            descriptor_messages.send(self._owner, {"event": event, **message}, descriptors)

    def _serve_owner(self) -> None:
        """Run the program that the owner asks for, as a child, with the owner's streams.

        It asks by the arguments of Popen.
        """
        request, fds = descriptor_messages.receive(self._owner)
        if request is None:
            _end()
        stdin, stdout, stderr = fds
        try:
            process = subprocess.Popen(**request, stdin=stdin, stdout=stdout, stderr=stderr)
        except OSError as error:
            os.write(stderr, f"ipvsload: {request['args'][0]}: {error.strerror}\n".encode())
            self._tell("exit", status=127 if isinstance(error, FileNotFoundError) else 126)
        else:
            self._loop.on_exit(process, lambda status: self._tell("exit", status=status))
        finally:
            for descriptor in fds:
                os.close(descriptor)

    def _wire_director(self) -> int:
        """Enter a new network namespace and lay the director's cables from there."""
        namespace = ns.new_network()
        far_ends = map(self._path, (self._client, self._server))
        network.configure(network.WIRE_SYSCTLS, network.wires(*far_ends))
        return namespace

    @staticmethod
    def _path(namespace: int) -> str:
        """A namespace as `ip` takes it."""
        return f"/proc/{os.getpid()}/fd/{namespace}"

    def _start_decapsulator(self, topology: Topology) -> None:
        program = [sys.executable, "-m", "ipvsload.testbed.lab.decapsulator", topology.family]
        process = subprocess.Popen(program, stdin=subprocess.DEVNULL, start_new_session=True)
        died = partial(self._tell, "died", who="the process that ends the tunnels", log=[])
        self._loop.on_exit(process, lambda status: died(status=status))

    def _start_real_servers(self) -> tuple[socket.socket, socket.socket]:
        """Returns our ends of two sockets: for commands, and for what they tell unasked."""
        ours, theirs = socket.socketpair()
        told, teller = socket.socketpair()
        with theirs, teller:
            process = subprocess.Popen(
                [sys.executable, "-m", "ipvsload.testbed.lab.real_servers", str(teller.fileno())],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                pass_fds=(teller.fileno(),),
                start_new_session=True,
            )
        died = partial(self._tell, "died", who="the real servers' process", log=[])
        self._loop.on_exit(process, lambda status: died(status=status))
        return ours, told


def _packet_sockets() -> tuple[list[int], str]:
    """One for each cable, of the namespace that this process is in; or why there are none.

    They see nothing yet. Who is not root of the namespace could not make them.
    """
    made: list[int] = []
    try:
        for _ in CABLES:
            packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
            made.append(packets.detach())
    except OSError as error:
        return made, f"this user may not watch packets: {error.strerror}"
    return made, ""


def _import_path() -> list[str]:
    """Where the director's interpreter finds this package and pyroute2."""
    # Not by an import: that of pyroute2 takes a quarter of a second.
    origins = (find_spec(name) for name in ("ipvsload", "pyroute2"))
    places = (str(Path(spec.origin).parents[1]) for spec in origins if spec and spec.origin)
    return list(dict.fromkeys(places))


def _end() -> NoReturn:
    os._exit(0)
