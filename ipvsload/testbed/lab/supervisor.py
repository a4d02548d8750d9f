"""The lab's own first process: everything in a lab lives and dies with it.

It is process 1 of a PID namespace. Whatever ends it (its owner's last word,
its owner's death by any signal, an error) makes the kernel kill everything
else in that namespace, and with the last process go the network namespaces,
the cables and the mounts: nothing is left that could be forgotten.

The owner talks to it over one SOCK_SEQPACKET socket: JSON messages, some with
file descriptors. It uses the standard library only, to be up in milliseconds.
"""

import array
import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

import ipvsload
from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab import network
from ipvsload.testbed.lab import taps as cards
from ipvsload.testbed.lab.kernels import qemu, uml, wide_registers
from ipvsload.testbed.lab.socket_broker import Door
from ipvsload.testbed.lab.sysctl import write_sysctls
from ipvsload.testbed.lab.topology import Topology

MAX_MESSAGE = 1 << 18
_LOG_LINES = 30
_CHUNK = 65_536
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


Process = subprocess.Popen[bytes]


class Keeper:
    """Builds the lab of `plan` and keeps it until the owner leaves."""

    def __init__(self, owner: socket.socket, leash: int, plan: dict[str, Any]) -> None:
        self._owner = owner
        self._plan = plan
        self._topology = Topology(*plan["topology"])
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, tuple[Process, Callable[[int], None]]] = {}
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._ready = False
        self._start = {
            "host": self._start_host,
            "uml": self._start_guest,
            "qemu": self._start_machine,
        }
        self._kernels = list(plan["kernels"])
        self._first_word_until: float | None = None
        self._taps: tuple[int, ...] = ()
        self._reasons: list[str] = []
        self._watch(owner.fileno(), self._hear_owner)
        self._watch(leash, self._end)
        self._wakeup_in, self._wakeup = socket.socketpair()
        self._wakeup_in.setblocking(False)
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup_in.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._watch(self._wakeup.fileno(), self._reap)

    def run(self) -> NoReturn:
        """Build, then serve until the owner leaves."""
        (self._director_plan,) = self._topology.all_directors
        door = Door(self._topology.client_addresses, self._watch, self._forget)
        self._scratch = ns.private_mounts(self._plan["keep_visible"])
        self._client = ns.new_network()
        self._server = ns.new_network()
        self._director = ns.new_network()
        door.between(self._client, self._director)
        self._wire()
        self._start_real_servers(door.name)
        self._try_next_kernel()
        while True:
            for key, _ in self._selector.select(self._patience()):
                key.data()
            if self._patience() == 0:
                self._end_mute_guest()

    def _patience(self) -> float | None:
        """Seconds until a guest must have said something, if it must."""
        until = self._first_word_until
        return None if until is None else max(0.0, until - time.monotonic())

    def _watch(self, descriptor: int, hear: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, hear)

    def _forget(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)

    def _tell(self, descriptors: tuple[int, ...] = (), **message: Any) -> None:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        with contextlib.suppress(OSError):
            self._owner.sendmsg([json.dumps(message).encode()], ancillary if descriptors else [])

    def _end(self) -> NoReturn:
        os._exit(0)

    # -- what the owner asks ------------------------------------------------

    def _hear_owner(self) -> None:
        data, fds, _flags, _address = socket.recv_fds(self._owner, MAX_MESSAGE, 3)
        if not data:
            self._end()
        request = json.loads(data)["run"]
        try:
            process = subprocess.Popen(
                request["argv"],
                env=request["env"],
                cwd=request["cwd"],
                stdin=fds[0],
                stdout=fds[1],
                stderr=fds[2],
                preexec_fn=lambda: self._enter(self._client),
            )
        except (OSError, subprocess.SubprocessError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._tell(event="not-run", reason=reason, missing=isinstance(error, FileNotFoundError))
        else:
            self._on_exit(process, lambda status: self._tell(event="exit", status=status))
        finally:
            for descriptor in fds:
                os.close(descriptor)

    # -- wiring -------------------------------------------------------------

    def _wire(self) -> None:
        write_sysctls(network.WIRE_SYSCTLS)
        client, server = (f"/proc/{os.getpid()}/fd/{fd}" for fd in (self._client, self._server))
        _ip(network.wires(self._director_plan, client, server))
        for namespace, batch, sysctls in (
            (self._client, network.client_side(self._topology), network.CLIENT_SYSCTLS),
            (self._server, network.server_side(self._topology), network.SERVER_SYSCTLS),
        ):
            ns.setns(namespace)
            write_sysctls(sysctls)
            _ip(batch)
        ns.setns(self._director)

    @staticmethod
    def _enter(namespace: int) -> None:
        """In a child between fork and exec."""
        ns.setns(namespace)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_DFL)

    def _enter_director(self) -> None:
        self._enter(self._director)

    def _enter_guest(self) -> None:
        """A user-mode kernel lives by switching between its own processes.

        Across processors each switch wakes another one, which in a virtual
        machine is many times as slow; and it uses one at a time anyway.
        """
        self._enter(self._director)
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[self._plan["owner"] % len(processors)]})
        if wide_registers.needed():
            wide_registers.hide()

    def _start_real_servers(self, door: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "ipvsload.testbed.lab.real_servers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: self._enter(self._server),
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        self._on_exit(process, lambda status: self._died("the real servers' process", status, []))
        streams = process.stdin.fileno(), process.stdout.fileno()
        self._tell((self._client, *streams), event="wired", door=door)
        process.stdin.close()
        process.stdout.close()

    def _died(self, who: str, status: int, log: list[str]) -> None:
        self._tell(event="died", who=who, status=status, log=log)

    # -- the director -------------------------------------------------------

    def _try_next_kernel(self) -> None:
        while self._kernels:
            kernel = self._kernels.pop(0)
            reason = self._missing(kernel)
            if reason is None:
                self._start[kernel.partition("/")[0]](kernel)
                return
            self._refuse(kernel, reason)
        self._tell(event="no-kernel", reasons=self._reasons)

    def _missing(self, kernel: str) -> str | None:
        match kernel:
            case "host":
                return None
            case "uml":
                return uml.missing()
        return qemu.missing(qemu.host(), Path(self._plan["image"])) or cards.missing()

    def _refuse(self, kernel: str, reason: str) -> None:
        self._reasons.append(f"{kernel}: {reason}")

    def _environment(self) -> dict[str, str]:
        """What the agent's interpreter, started without its site, must be told."""
        return {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(self._plan["path"])}

    def _start_host(self, kernel: str) -> None:
        self._start_director(kernel, _agent("host"), {**os.environ, **self._environment()})

    def _start_guest(self, kernel: str) -> None:
        with open(f"{self._scratch}/{uml.FILTER_FILE}", "wb") as file:
            file.write(uml.receive_filter())
        agent = _agent("guest", str(uml.MODULES), *self._plan["schedulers"])
        environment = self._environment()
        if wide_registers.needed():
            environment["GLIBC_TUNABLES"] = wide_registers.TUNABLES
        argv = uml.command(agent, environment, self._scratch, self._director_plan.cables)
        self._start_director(kernel, argv, {**os.environ, "TMPDIR": self._scratch})

    def _start_machine(self, kernel: str) -> None:
        accelerator = kernel.partition("/")[2]
        image = Path(self._plan["image"])
        initrd = f"{self._scratch}/initrd.img"
        try:
            with open(initrd, "wb") as file:
                file.write((image / "initrd.img").read_bytes())
                file.write(qemu.code(Path(ipvsload.__file__).parent))
            if not self._taps:
                self._taps = tuple(cards.tap(cable.tap) for cable in self._director_plan.cables)
                _ip(network.bridges(self._director_plan))
        except (OSError, RuntimeError) as error:
            self._refuse(kernel, str(error))
            self._try_next_kernel()
            return
        agent, environment = qemu.agent(self._plan["schedulers"])
        argv = qemu.command(
            qemu.host(), image, initrd, accelerator, self._cards(), agent, environment
        )
        self._start_director(kernel, argv, {**os.environ}, self._taps)
        self._first_word_until = time.monotonic() + qemu.FIRST_WORD_WITHIN[accelerator]

    def _cards(self) -> list[tuple[int, str]]:
        macs = (cable.mac for cable in self._director_plan.cables)
        return list(zip(self._taps, macs, strict=True))

    def _start_director(
        self, kernel: str, argv: list[str], env: dict[str, str], cards: tuple[int, ...] = ()
    ) -> None:
        process = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
            pass_fds=cards,
            preexec_fn=self._enter_guest if kernel == "uml" else self._enter_director,
        )
        assert process.stdin
        assert process.stdout
        output, stdin = process.stdout, process.stdin
        os.set_blocking(output.fileno(), False)
        self._log.clear()
        self._rest = b""
        self._watch(output.fileno(), lambda: self._hear_director(kernel, output))

        def exited(status: int) -> None:
            self._first_word_until = None
            stdin.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a guest has helpers
            self._hear_director(kernel, output)
            if self._ready:
                self._died("the director's kernel", status, list(self._log))
                return
            if not any(reason.startswith(f"{kernel}: ") for reason in self._reasons):
                said = "; ".join(line for line in list(self._log)[-3:])
                self._refuse(kernel, f"it ended with status {status} before it was ready: {said}")
            # Only now: the next one may need what this one had.
            self._try_next_kernel()

        self._on_exit(process, exited)
        self._guest = kernel, process

    def _end_mute_guest(self) -> None:
        kernel, process = self._guest
        self._first_word_until = None
        within = qemu.FIRST_WORD_WITHIN[kernel.partition("/")[2]]
        self._refuse(kernel, f"the machine said nothing for {within:g} s")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def _hear_director(self, kernel: str, output: IO[bytes]) -> None:
        if output.closed:  # its death and its last words came at once
            return
        while chunk := output.read(_CHUNK):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._hear_line(kernel, line.decode(errors="replace").strip())
        if chunk == b"":
            self._selector.unregister(output)
            output.close()

    def _hear_line(self, kernel: str, text: str) -> None:
        try:
            message: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
        except ValueError:  # the kernel prints on the same console
            message = {}
        if "ready" in message:
            self._ready = True
            self._log.clear()  # boot messages are nobody's last words
            self._tell(
                event="ready",
                provider=kernel.partition("/")[0],
                release=message["ready"],
                booted=message["booted"] if kernel != "host" else 0.0,
            )
        elif "unavailable" in message:
            self._refuse(kernel, message["unavailable"])
        else:
            if qemu.FIRST_WORD in text:
                self._first_word_until = None
            self._log.append(text)

    def _on_exit(self, process: Process, then: Callable[[int], None]) -> None:
        # Kept, because a Popen that is dropped waits for its child by itself.
        self._children[process.pid] = (process, then)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wakeup.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                # Orphans of other processes are reaped here too.
                if pid in self._children:
                    process, then = self._children.pop(pid)
                    process.returncode = os.waitstatus_to_exitcode(status)
                    then(process.returncode)


def _agent(*arguments: str) -> list[str]:
    return [sys.executable, "-S", "-m", "ipvsload.testbed.lab.director_agent", *arguments]


def _ip(batch: str) -> None:
    try:
        done = subprocess.run(["ip", "-batch", "-"], input=batch, text=True, capture_output=True)
    except FileNotFoundError:
        raise RuntimeError("no `ip`; install it with: apt-get install iproute2") from None
    if done.returncode != 0:
        raise RuntimeError(f"ip: {done.stderr.strip()}")


def main() -> NoReturn:
    """Run as `python -m ipvsload.testbed.lab.supervisor SOCKET PARENT`."""
    # Ordinary users' PATH has no /usr/sbin on Debian, where ip and modprobe are.
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin"
    owner = socket.socket(fileno=int(sys.argv[1]))
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    plan = json.loads(owner.recv(MAX_MESSAGE))
    leash, held = os.pipe()
    try:
        if os.geteuid() != 0:
            ns.become_root_in_user_namespace()
        # Only now: new rights make the kernel forget it (kernel/cred.c, commit_creds).
        ns.die_with_parent(int(sys.argv[2]))
        ns.unshare(ns.CLONE_NEWNS | ns.CLONE_NEWPID | ns.CLONE_NEWIPC | ns.CLONE_NEWUTS)
    except OSError as error:
        owner.send(json.dumps({"event": "not-permitted", "reason": error.strerror}).encode())
        os._exit(1)
    child = os.fork()
    if child:
        owner.close()
        os.close(leash)
        _pid, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    os.close(held)
    ns.die_with_parent(0)  # which is how a parent outside the namespace looks
    try:
        Keeper(owner, leash, plan).run()
    except Exception as error:
        reason = str(error) if isinstance(error, RuntimeError) else f"{error!r}"
        owner.send(json.dumps({"event": "failed", "reason": reason}).encode())
        os._exit(1)


if __name__ == "__main__":
    main()
