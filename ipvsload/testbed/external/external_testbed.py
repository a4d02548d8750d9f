"""A director that is there already: a URL to send load to, a command to watch it by.

The command is anything that runs `ipvsload collect` beside the balancer's table
and connects its streams, such as `ssh director sudo ipvsload collect`; without
one there is load and no samples. Nothing of the director is changed but by
commands that were given for it, and what these changed is put back at the end.
"""

import os
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.keys import join_key, split_key
from ipvsload.ipvs.table import VirtualService as Entry
from ipvsload.record.sidecar_stream import Hello, Reading, SidecarParser, StreamError
from ipvsload.scenario.names import MAX_SERVERS
from ipvsload.scenario.url import read_url
from ipvsload.testbed.base import ServiceSpec, ServiceUnderTest, SidecarPipe, Target
from ipvsload.testbed.external.director_changes import FIXED, Changes
from ipvsload.testbed.tcp_timeouts import timeouts_here

_PROBE_WITHIN = 30.0
_END_WITHIN = 2.0
_SET_WITHIN = 20.0


class ExternalTestbed:
    """The balancer at `url`, watched by `command`.

    `set_scheduler` and `set_weight` are commands with {service}, {scheduler},
    {server} and {weight} in them. Raises UsageError for a bad one of these.
    """

    name = "external"
    exclusive = False
    socket_broker = ""
    max_real_servers = MAX_SERVERS

    def __init__(
        self, url: str, command: str, set_scheduler: str = "", set_weight: str = ""
    ) -> None:
        self.host, self.port = read_url(url)
        try:
            self._command = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"--sidecar {command!r}: {error}") from None
        self.has_samples = bool(self._command)
        self._changes = Changes(set_scheduler, set_weight)
        self.lacks = self._changes.lacks()
        self._key = ""
        self._weights: dict[str, int] = {}
        self._sidecar: _Process | None = None
        self._quiet, self._end = os.pipe()
        self.kernel = {"release": "", "provider": "node"}

    def start(self) -> None:
        """It is there."""

    def wait_ready(self) -> None:
        """Look whether the table can be read, and has a service for the URL."""
        if self._command:
            self._service(self._probe())

    def open_samples(self, hz: float) -> SidecarPipe:
        """Start the command. Raises TestbedError."""
        self._sidecar = _Process([*self._reader(), "--hz", f"{hz:g}"])
        return self._sidecar

    def tcp_timeouts(self) -> int:
        """TCP retransmission timeouts of this machine, whosever they are."""
        return timeouts_here()

    def begin(self, spec: ServiceSpec) -> ServiceUnderTest:
        """The service as it stands; one of these two may be empty and then is not compared.

        Without a command nothing is known of it but its address.
        Raises TestbedError where the table has another scheduler or other servers.
        """
        if not self._command:
            return ServiceUnderTest(Target("", self.host, self.port), "", [])
        scheduler, weights = spec.balancer, spec.weights
        found = self._service(self._probe())
        self._key = found.key
        if self._changes.scheduler and scheduler not in ("", found.scheduler):
            self._changes.set_scheduler(found.key, scheduler, found.scheduler)
            found = self._await(lambda now: now.scheduler == scheduler, f"scheduler {scheduler}")
        if scheduler not in ("", found.scheduler):
            raise TestbedError(
                f"{found.key} is balanced by {found.scheduler} and not by {scheduler}: {FIXED}"
            )
        servers = sorted((server.address, server.weight) for server in found.servers)
        self._weights = dict(servers)
        if weights and len(servers) != len(weights):
            raise TestbedError(
                f"{found.key} has {len(servers)} real servers and the scenario begins with"
                f" {len(weights)}: {FIXED}"
            )
        baseline = {server.address: server.conns for server in found.servers}
        target = Target(found.key, self.host, self.port)
        return ServiceUnderTest(target, found.scheduler, servers, baseline)

    def set_balancer(self, balancer: str) -> None:
        """By the command that was given for it. Raises TestbedError."""
        before = self._service(self._probe()).scheduler
        self._changes.set_scheduler(self._key, balancer, before)
        self._await(lambda now: now.scheduler == balancer, f"scheduler {balancer}")

    def add_server(self, weight: int) -> NoReturn:
        """Raises TestbedError."""
        raise TestbedError(FIXED)

    def set_weight(self, address: str, weight: int) -> None:
        """By the command that was given for it. Raises TestbedError."""
        self._changes.set_weight(self._key, address, weight, self._weights.get(address))

    def remove_server(self, address: str) -> NoReturn:
        """Raises TestbedError."""
        raise TestbedError(FIXED)

    def kill_server(self, address: str) -> NoReturn:
        """Raises TestbedError."""
        raise TestbedError(FIXED)

    def connection_servers(self, clients: Sequence[tuple[str, int]]) -> list[str | None]:
        """Its connection table is out of reach."""
        return [None] * len(clients)

    def end(self) -> None:
        """It stays as it is."""

    def fileno(self) -> int:
        """Never readable: what ends the sidecar is told by its stream."""
        return self._quiet

    def broken(self) -> TestbedError | None:
        """See `fileno`."""
        return None

    def close(self) -> None:
        """End the sidecar's command, and put back what was set. Raises TestbedError."""
        if self._sidecar is not None:
            self._sidecar.close()
        self._changes.undo()

    def _await(self, so: Callable[[Entry], bool], what: str) -> Entry:
        """The service, when the kernel's table shows what was set."""
        deadline = time.monotonic() + _SET_WITHIN
        while not so(found := self._service(self._probe())):
            if time.monotonic() > deadline:
                raise TestbedError(
                    f"the table of {found.key} does not show {what} within {_SET_WITHIN:.0f} s of"
                    " the command that was to set it"
                )
        return found

    def _reader(self) -> list[str]:
        if not self._command:
            raise TestbedError(
                "nothing reads the balancer's table: give --sidecar a command that does, such as"
                " 'ssh director sudo ipvsload collect'"
            )
        return self._command

    def _probe(self) -> Reading:
        """One reading of the table, by the same command."""
        try:
            done = subprocess.run(
                [*self._reader(), "--count", "1"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_WITHIN,
            )
        except OSError as error:
            raise TestbedError(f"--sidecar {self._command[0]}: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise TestbedError(
                f"--sidecar {shlex.join(self._command)}: no sample within {_PROBE_WITHIN:.0f} s"
            ) from None
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        try:
            messages = SidecarParser().feed(done.stdout)
        except StreamError as error:
            raise TestbedError(f"--sidecar {shlex.join(self._command)}: {error}") from None
        for message in messages:
            if isinstance(message, Hello):
                self.kernel = {"release": message.kernel, "provider": "node"}
            if isinstance(message, Reading):
                return message
        reason = said[0] if said else f"it ended with status {done.returncode}"
        raise TestbedError(f"--sidecar {shlex.join(self._command)}: {reason}")

    def _service(self, reading: Reading) -> Entry:
        """The service that the URL reaches: by its address, else by its port alone."""
        try:
            address = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)[0][4]
        except OSError as error:
            raise TestbedError(f"cannot resolve {self.host!r}: {error.strerror}") from None
        key = join_key(str(address[0]), self.port)
        for entry in reading.services:
            if entry.key == key:
                return entry
        # Behind an address translation only the port may be the same.
        same = [one for one in reading.services if split_key(one.key).port == self.port]
        if len(same) == 1:
            return same[0]
        known = ", ".join(one.key for one in reading.services[:10]) or "none"
        raise TestbedError(
            f"the balancer's table has no service for http://{self.host}:{self.port}; it has"
            f" {known}"
        )


class _Process:
    """The command's stdin and stdout as one stream."""

    def __init__(self, command: Sequence[str]) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    start_new_session=True,
                )
            except OSError as error:
                raise TestbedError(f"--sidecar {command[0]}: {error.strerror}") from None

    def recv(self, size: int) -> bytes:
        return self._ours.recv(size)

    def sendall(self, data: bytes) -> None:
        self._ours.sendall(data)

    def close(self) -> None:
        """End it: by the end of its streams, then by signals; calling it again does nothing."""
        self._ours.close()
        for end in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(_END_WITHIN)
            except subprocess.TimeoutExpired:
                end()
        self._process.wait()
