"""A generator's side of the lab's socket broker (`socket_broker.py`).

The plain `_socket.socket` is taken, as the HTTP client does: a request for
sockets must not let other greenlets run while a connection is being made.
"""

import errno
import os
import socket
from _socket import AF_INET, AF_INET6, AF_UNIX, SOCK_NONBLOCK, SOCK_SEQPACKET, SOCK_STREAM
from _socket import socket as _Socket  # noqa: N812
from collections import deque

from ipvsload.errors import TestbedError
from ipvsload.testbed.lab.descriptor_messages import MAX_DESCRIPTORS, receive, send

_TIMEOUT = 10.0
_LOW = MAX_DESCRIPTORS // 2
_KIND = SOCK_STREAM | SOCK_NONBLOCK


class LabSockets:
    """The load's sockets: bound, non-blocking. `name` is the broker's.

    Raises TestbedError where the broker cannot be reached. Not for two threads at once.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._broker = _connect(name)
        self._ready: deque[tuple[_Socket, str, int]] = deque()
        self._asked = False
        self._low = _LOW

    def take(self) -> tuple[_Socket, str, int]:
        """A TCP socket and the address and port that it is bound to.

        Raises OSError, EADDRNOTAVAIL where every port is in use.
        """
        ready = self._ready
        if len(ready) <= self._low and not self._asked:
            # Early, so that nobody waits for the next ones.
            send(self._broker, {"sockets": MAX_DESCRIPTORS, "bound": True})
            self._asked = True
        if not ready:
            self._asked = False
            sources, descriptors = _receive(self._broker)
            if not sources:
                raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
            if len(sources) < MAX_DESCRIPTORS:
                # Ports are scarce: none is held before it is needed.
                self._low = 0
            for descriptor, (client, port) in zip(descriptors, sources, strict=True):
                family = AF_INET6 if ":" in client else AF_INET
                ready.append((_Socket(family, _KIND, 0, descriptor), client, port))
        return ready.popleft()

    def begin_run(self) -> None:
        """Give back what the last run has left: the next one begins with its own first client.

        Raises TestbedError.
        """
        self.close()
        self._broker, self._asked, self._low = _connect(self.name), False, _LOW

    def close(self) -> None:
        """Give back what was not used."""
        self._broker.close()
        while self._ready:
            self._ready.popleft()[0].close()


def lab_sockets(name: str) -> LabSockets | None:
    """The load's sockets; None where there is no broker ("") and any socket will do."""
    return LabSockets(name) if name else None


def plain_socket(name: str, *, ipv6: bool = False) -> socket.socket:
    """A blocking TCP socket of the client namespace, not bound. Raises TestbedError."""
    broker = _connect(name)
    try:
        send(broker, {"sockets": 1, "ipv6": ipv6})
        _sources, (descriptor,) = _receive(broker)
    except OSError as error:
        raise TestbedError(f"the lab's socket broker is gone: {error.strerror}") from error
    finally:
        broker.close()
    return socket.socket(AF_INET6 if ipv6 else AF_INET, SOCK_STREAM, 0, descriptor)


def begin_run(name: str, repeat: int) -> None:
    """Tell the lab that a run of this repeat begins. Raises TestbedError."""
    broker = _connect(name)
    try:
        send(broker, {"begin": repeat})
        _receive(broker)
    except OSError as error:
        raise TestbedError(f"the lab's socket broker is gone: {error.strerror}") from error
    finally:
        broker.close()


def _connect(name: str) -> _Socket:
    broker = _Socket(AF_UNIX, SOCK_SEQPACKET)
    broker.settimeout(_TIMEOUT)
    try:
        broker.connect("\0" + name)
    except OSError as error:
        raise TestbedError(
            f"the lab's socket broker does not answer: {error.strerror}; a generator must run"
            " on the lab's machine, as the user who runs the lab"
        ) from None
    return broker


def _receive(broker: _Socket) -> tuple[list[tuple[str, int]], list[int]]:
    sources, descriptors = receive(broker)
    if sources is None:
        raise OSError(errno.ENETDOWN, os.strerror(errno.ENETDOWN))
    return sources, descriptors
