"""Opening a connection, and why that failed, in one word.

`_socket.socket` is used, because its methods are just the system calls. What
`socket.socket` adds costs as much time as they do.
"""

import _socket
import errno
from typing import Any, Protocol

from ipvsload.errors import TestbedError

CAUSES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EADDRNOTAVAIL: "no port",
    errno.EMFILE: "no descriptor",
    errno.ENFILE: "no descriptor",
    **dict.fromkeys(
        (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EACCES),
        "unreachable",
    ),
}
"""The kind of failure (scenario/failures.py) that each error of the system is."""


class Sockets(Protocol):
    """Gives connections their local end, where any of this machine's will not do."""

    def take(self) -> tuple[_socket.socket, str, int]:
        """A new non-blocking TCP socket, and the address and port that it is bound to.

        Raises OSError.
        """


def cause(error: OSError) -> str:
    """The word for this error in a request's record: "refused", "reset", ..."""
    number = error.errno or 0
    if number == errno.EPROTO and error.strerror:  # TLS has words of its own
        return error.strerror
    return CAUSES.get(number) or errno.errorcode.get(number, "unknown")


def resolve(host: str, port: int) -> tuple[int, Any]:
    """The address family and the address of a host and port.

    Raises:
        TestbedError: the name is not known.
    """
    try:
        found = _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)[0]
    except (_socket.gaierror, UnicodeError) as error:
        raise TestbedError(f"cannot resolve the target {host!r}: {error}") from None
    return found[0], found[4]


def connect(family: int, address: Any, sockets: Sockets | None) -> tuple[_socket.socket, str, int]:
    """Begin a connection; returns its non-blocking socket and its local address and port.

    Without `sockets` the kernel chooses the local end. Raises OSError.
    """
    if sockets is not None:
        sock, client, port = sockets.take()
    else:
        sock = _socket.socket(
            family, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
        )
        client, port = "", 0
    try:
        sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        failed = sock.connect_ex(address)
        if failed and failed != errno.EINPROGRESS:
            raise OSError(failed, "")
        if not port:
            client, port = sock.getsockname()[:2]
    except BaseException:
        sock.close()
        raise
    return sock, client, port
