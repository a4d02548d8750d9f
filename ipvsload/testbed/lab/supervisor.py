"""The lab's own first process: everything in a lab lives and ends with it.

It is process 1 of a PID namespace. Whatever ends it (its owner leaves, its
owner is killed, an error) makes the kernel kill all other processes of that
namespace. With the last process the kernel removes the network namespaces, the
cables and the mounts. So there is no clean-up that could be forgotten.

The owner talks to it over one SOCK_SEQPACKET socket: JSON messages, some with
file descriptors.
"""

import array
import contextlib
import json
import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab import network
from ipvsload.testbed.lab.director_process import DirectorKernel
from ipvsload.testbed.lab.kernels.base import Place
from ipvsload.testbed.lab.plan import MAX_MESSAGE, LabPlan, ReadyKernel
from ipvsload.testbed.lab.process_loop import ProcessLoop, enter_child
from ipvsload.testbed.lab.socket_broker import SocketBroker
from ipvsload.testbed.lab.topology import Director


class Supervisor:
    """Builds the lab of `plan`; `run` keeps it until the owner leaves.

    It lives in the client namespace, so that the sockets which the broker makes
    belong there. `parent` becomes readable when the process outside of the PID
    namespace, which waits for this one, has ended.

    Raises OSError or RuntimeError where the lab cannot be built.
    """

    def __init__(self, owner: socket.socket, parent: int, plan: LabPlan) -> None:
        self._owner = owner
        self._plan = plan
        self._loop = ProcessLoop()
        self._loop.watch(owner.fileno(), self._serve_owner)
        self._loop.watch(parent, _end)
        # While still in the owner's network namespace, in which its name is known.
        broker = SocketBroker(plan.topology.client_addresses, self._loop)
        scratch = ns.private_mounts(plan.keep_visible)
        self._client = ns.new_network()
        self._server = ns.new_network()
        directors = plan.topology.all_directors
        namespaces = [self._wire_director(director) for director in directors]
        self._wire_sides()
        self._start_real_servers(broker.name)
        self._starting = len(directors)
        for director, namespace in zip(directors, namespaces, strict=True):
            self._start_director(director, namespace, scratch)

    def run(self) -> NoReturn:
        """Serve until the owner leaves."""
        self._loop.run()

    def _tell(self, descriptors: tuple[int, ...] = (), **message: Any) -> None:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        with contextlib.suppress(OSError):
            self._owner.sendmsg([json.dumps(message).encode()], ancillary if descriptors else [])

    def _serve_owner(self) -> None:
        """Run the program that the owner asks for, as a child, with the owner's streams."""
        data, fds, _flags, _address = socket.recv_fds(self._owner, MAX_MESSAGE, 3)
        if not data:
            _end()
        request = json.loads(data)["run"]
        try:
            process = subprocess.Popen(
                request["argv"],
                env=request["env"],
                cwd=request["cwd"],
                stdin=fds[0],
                stdout=fds[1],
                stderr=fds[2],
                preexec_fn=lambda: enter_child(self._client),
            )
        except (OSError, subprocess.SubprocessError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._tell(event="not-run", reason=reason, missing=isinstance(error, FileNotFoundError))
        else:
            self._loop.on_exit(process, lambda status: self._tell(event="exit", status=status))
        finally:
            for descriptor in fds:
                os.close(descriptor)

    def _wire_director(self, director: Director) -> int:
        """Enter a new network namespace and lay the director's cables from there."""
        namespace = ns.new_network()
        network.write_sysctls(network.WIRE_SYSCTLS)
        far_ends = (f"/proc/{os.getpid()}/fd/{fd}" for fd in (self._client, self._server))
        network.run_ip(network.wires(director, *far_ends))
        return namespace

    def _wire_sides(self) -> None:
        """Configure the servers' side and the clients' side, and stay in the latter."""
        for namespace, batch, sysctls in (
            (self._server, network.server_side(self._plan.topology), network.SERVER_SYSCTLS),
            (self._client, network.client_side(self._plan.topology), network.CLIENT_SYSCTLS),
        ):
            ns.setns(namespace)
            network.write_sysctls(sysctls)
            network.run_ip(batch)

    def _start_real_servers(self, broker: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "ipvsload.testbed.lab.real_servers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: enter_child(self._server),
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        self._loop.on_exit(process, partial(self._died, "the real servers' process", log=[]))
        streams = process.stdin.fileno(), process.stdout.fileno()
        self._tell((self._client, *streams), event="wired", broker=broker)
        process.stdin.close()
        process.stdout.close()

    def _start_director(self, director: Director, namespace: int, scratch: str) -> None:
        own_scratch = Path(scratch, f"director-{director.number}")
        own_scratch.mkdir()
        place = Place(
            director,
            str(own_scratch),
            self._plan.modules,
            self._plan.import_path,
            processor=self._plan.owner + director.number - 1,
        )
        DirectorKernel(place, self._plan.kernels, namespace, self._client, self._loop, self)

    def director_ready(self, kernel: ReadyKernel) -> None:
        """Tell the owner when all are."""
        self._starting -= 1
        if not self._starting:
            self._tell(event="ready", kernel=kernel._asdict())

    def director_failed(self, reasons: list[str]) -> None:
        """Tell the owner."""
        self._tell(event="no-kernel", reasons=reasons)

    def director_died(self, status: int, log: list[str]) -> None:
        """Tell the owner."""
        self._died("the director's kernel", status, log)

    def _died(self, who: str, status: int, log: list[str]) -> None:
        self._tell(event="died", who=who, status=status, log=log)


def _end() -> NoReturn:
    os._exit(0)
