"""A generator's side of the lab's door; see door.py.

The plain `_socket.socket` is taken, as the wire does: a request for sockets
must not let other greenlets run in the middle of a connection's making.
"""

import errno
import json
import os
import socket
from _socket import AF_INET, AF_UNIX, SOCK_NONBLOCK, SOCK_SEQPACKET, SOCK_STREAM
from _socket import socket as _Socket  # noqa: N812
from collections import deque
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.testbed.lab.socket_broker import MOST

_PATIENCE = 10.0
_LOW = MOST // 2
_KIND = SOCK_STREAM | SOCK_NONBLOCK


class LabSockets:
    """The load's sockets: bound, non-blocking. `name` is the door's.

    Raises TestbedError where the door is shut. Not for two threads at once.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._door = _knock(name)
        self._ready: deque[tuple[_Socket, str, int]] = deque()
        self._asked = False

    def take(self) -> tuple[_Socket, str, int]:
        """A TCP socket and the address and port that it is bound to. Raises OSError."""
        ready = self._ready
        if len(ready) <= _LOW and not self._asked:
            # Early, so that nobody waits for the next ones.
            _ask(self._door, sockets=MOST, bound=True)
            self._asked = True
        if not ready:
            self._asked = False
            sources, descriptors = _hear(self._door)
            for descriptor, (client, port) in zip(descriptors, sources, strict=True):
                ready.append((_Socket(AF_INET, _KIND, 0, descriptor), client, port))
        return ready.popleft()

    def close(self) -> None:
        """Give back what was not used."""
        self._door.close()
        while self._ready:
            self._ready.popleft()[0].close()


def open_door(name: str) -> LabSockets | None:
    """The load's sockets; None where there is no door, and any socket will do."""
    return LabSockets(name) if name else None


def plain_socket(name: str) -> socket.socket:
    """A blocking TCP socket of the client namespace, not bound. Raises TestbedError."""
    return socket.socket(AF_INET, SOCK_STREAM, 0, _one(name, sockets=1))


def netstat(name: str) -> int:
    """A descriptor of the client namespace's /proc/net/netstat. Raises TestbedError."""
    return _one(name, netstat=True)


def _one(name: str, **request: Any) -> int:
    door = _knock(name)
    try:
        _ask(door, **request)
        return _hear(door)[1][0]
    except OSError as error:
        raise TestbedError(f"the lab's door is shut: {error.strerror}") from error
    finally:
        door.close()


def _knock(name: str) -> _Socket:
    door = _Socket(AF_UNIX, SOCK_SEQPACKET)
    door.settimeout(_PATIENCE)
    try:
        door.connect("\0" + name)
    except OSError as error:
        raise TestbedError(
            f"the lab's door does not open: {error.strerror}; a generator must run on the"
            " lab's machine, as the user who runs the lab"
        ) from None
    return door


def _ask(door: _Socket, **request: Any) -> None:
    door.send(json.dumps(request).encode())


def _hear(door: _Socket) -> tuple[list[tuple[str, int]], list[int]]:
    data, descriptors, _, _ = socket.recv_fds(door, 1 << 16, MOST)  # type: ignore[arg-type]
    if not data:
        raise OSError(errno.ENETDOWN, os.strerror(errno.ENETDOWN))
    return json.loads(data), descriptors
