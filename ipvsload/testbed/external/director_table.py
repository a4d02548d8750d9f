"""The table of a director that is there already, read by a command of its owner."""

import json
import socket
import time
from collections.abc import Callable, Sequence

from ipvsload.errors import TestbedError
from ipvsload.ipvs.keys import Endpoint, join_endpoint, split_endpoint, split_key
from ipvsload.ipvs.table import VirtualService
from ipvsload.record.sidecar_stream import Hello, Reading, Settings, SidecarParser, StreamError
from ipvsload.scenario.url import HttpTarget
from ipvsload.testbed.external import service_choice
from ipvsload.testbed.external.owner_command import OwnerCommand
from ipvsload.testbed.external.sidecar_process import SidecarProcess

UNREAD = (
    "nothing reads the balancer's table: give --sidecar a command that does, such as"
    " 'ssh director sudo ipvsload collect'"
)
"""Why something is not known, or cannot be changed."""
_SHOWN_WITHIN = 20.0


class DirectorTable:
    """What `command` reads of the virtual service that a load on `url` reaches.

    `command` runs `ipvsload collect` beside the table, and takes its options.
    It may be empty: then nothing can be read. `key` names the service; without it
    the first reading chooses it. `hello` is what the last reading said of the
    director.
    """

    def __init__(self, command: OwnerCommand, url: HttpTarget, key: str = "") -> None:
        self.command = command
        self.readable = bool(command)
        self.hello: Hello | None = None
        self.settings: Settings | None = None
        self._url, self._key = url, key
        self.guess = ""
        """Why the service is only guessed, in words; "" where it is not."""

    def open_samples(self, hz: float) -> SidecarProcess:
        """Start the command. Raises TestbedError."""
        return SidecarProcess([*self._checked_command().words, "--hz", f"{hz:g}"])

    def service(self) -> VirtualService:
        """Read the table once; the service, the same one each time. Raises TestbedError."""
        services = self._read().services
        if self._key:
            return service_choice.named(services, self._key)
        try:
            found = socket.getaddrinfo(self._url.host, self._url.port, 0, socket.SOCK_STREAM)
        except OSError as error:
            raise TestbedError(f"cannot resolve {self._url.host!r}: {error.strerror}") from None
        addresses = {str(address[0]) for *_, address in found}
        choice = service_choice.choose(services, addresses, self._url.port, str(self._url))
        service, self.guess = choice
        self._key = service.key
        return service

    def connection_servers(self, clients: Sequence[Endpoint]) -> list[str | None]:
        """For each client the server of its connection, None where the director knows none.

        A sidecar of before cannot tell that. Raises TestbedError with why it is
        not told.
        """
        command = self._checked_command()
        asked = "".join(f"{join_endpoint(*one)}\n" for one in (self._balanced(), *clients))
        done = command.run("--connections", told=asked)
        try:
            found = json.loads(done.stdout)["connection_servers"]
            if found is not None and len(found) == len(clients):
                return list(found)
        except (ValueError, KeyError, TypeError):
            raise command.failure(done) from None
        raise command.error(command.words, "the director knows this load by other addresses")

    def _balanced(self) -> Endpoint:
        """Where connections to the service went; an empty host is any."""
        parts = split_key(self._key)
        if parts.port is None:  # a mark has no address
            return "", self._url.port
        host, port = split_endpoint(parts.target)
        return host, port or self._url.port

    def wait_for(
        self, read: Callable[[VirtualService], str | None], value: str, what: str
    ) -> VirtualService:
        """Look until `read` finds this value in the service. Raises TestbedError."""
        deadline = time.monotonic() + _SHOWN_WITHIN
        while (now := read(found := self.service())) != value:
            if time.monotonic() > deadline:
                raise TestbedError(
                    f"the table of {found.key} does not show {what} {value} within"
                    f" {_SHOWN_WITHIN:.0f} s of the command that was to set it;"
                    f" it shows {now or 'none'}"
                )
        return found

    def _read(self) -> Reading:
        command = self._checked_command()
        done = command.run("--count", "1")
        try:
            messages = SidecarParser().feed(done.stdout)
        except StreamError as error:
            raise command.error(command.words, str(error)) from None
        for message in messages:
            if isinstance(message, Hello):
                self.hello = message
            if isinstance(message, Settings):
                self.settings = message
        for message in messages:
            if isinstance(message, Reading):
                return message
        raise command.failure(done)

    def _checked_command(self) -> OwnerCommand:
        if not self.readable:
            raise TestbedError(UNREAD)
        return self.command
