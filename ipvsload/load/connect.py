"""Opening a connection, and why one failed, in a word.

The plain `_socket.socket` is taken because its methods are the system calls:
what Python's own class adds costs as much as they do.
"""

import errno
from _socket import (
    IPPROTO_TCP,
    SO_REUSEADDR,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
    gaierror,
    getaddrinfo,
    socket,
)
from typing import Any

from ipvsload.errors import TestbedError
from ipvsload.load.sources import Sources

_TRIES = 100

_CAUSES = {
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


def cause(error: OSError) -> str:
    """The word that a request's record has for it: "refused", "reset", ..."""
    number = error.errno or 0
    return _CAUSES.get(number) or errno.errorcode.get(number, "unknown")


def resolve(target: tuple[str, int]) -> tuple[int, Any]:
    """Address family and address of a host and port.

    Raises:
        TestbedError: the name is not known.
    """
    try:
        found = getaddrinfo(target[0], target[1], 0, SOCK_STREAM)[0]
    except (gaierror, UnicodeError) as error:
        raise TestbedError(f"cannot resolve the target {target[0]!r}: {error}") from None
    return found[0], found[4]


def connect(family: int, address: Any, sources: Sources | None) -> tuple[socket, str, int]:
    """Begin a connection; its non-blocking socket and its local address and port.

    Without `sources` the kernel chooses those. Raises OSError.
    """
    sock = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
    try:
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        client, port = ("", 0) if sources is None else _bind(sock, sources)
        failed = sock.connect_ex(address)
        if failed and failed != errno.EINPROGRESS:
            raise OSError(failed, "")
        if sources is None:
            client, port = sock.getsockname()[:2]
    except BaseException:
        sock.close()
        raise
    return sock, client, port


def _bind(sock: socket, sources: Sources) -> tuple[str, int]:
    """Give the socket the next source that is free. Raises OSError."""
    sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    for _ in range(_TRIES):
        source = sources.take()
        try:
            sock.bind(source)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return source
    raise OSError(errno.EADDRNOTAVAIL, "")
