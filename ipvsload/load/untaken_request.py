"""What became of a request on a kept connection that nobody took.

A server may close a kept connection just as we send on it, and a balancer may
have forgotten one that was idle for long. Then the other side's kernel
acknowledges nothing of the request, and how it answers says who it was. All of
it is asked of our kernel once a request has failed: those that succeed pay
nothing.
"""

import fcntl
import struct
import time
from _socket import IPPROTO_TCP, SO_ERROR, SOL_SOCKET, TCP_INFO, socket
from typing import NamedTuple

from ipvsload.load.tcp_connect import cause

_SIOCOUTQ = 0x5411
"""Bytes that are not acknowledged, those not sent yet among them (tcp.c, tcp_ioctl)."""
_LAST_DATA_RECV = 52
"""Where tcp_info has the ms since data came (include/uapi/linux/tcp.h, tcpi_last_data_recv)."""
SILENCE = "silence"


class Untaken(NamedTuple):
    """How a kept connection answered a request that it did not take, and how long it had idled.

    `answer` is "reset" (RST), "closed" (FIN), "refused" or "unreachable" (ICMP),
    or SILENCE. `idle_us` is in microseconds, as exact as the kernel's ticks.
    `retried` says how often the request was sent again: 0 or 1.
    """

    answer: str
    idle_us: int
    retried: int = 0


def untaken(fd: int, sent: int, start_ns: int, answer: str) -> Untaken | None:
    """What is known if of `sent` bytes none was acknowledged; None if some were.

    `fd` is the connection's descriptor; `start_ns` is when they were sent, by
    `time.monotonic_ns()`.
    """
    unacknowledged = struct.unpack("i", fcntl.ioctl(fd, _SIOCOUTQ, bytes(4)))[0]
    if unacknowledged < sent:
        return None
    info = _option(fd, IPPROTO_TCP, TCP_INFO, _LAST_DATA_RECV + 4)
    (since_data_ms,) = struct.unpack_from("I", info, _LAST_DATA_RECV)
    idle_us = since_data_ms * 1000 - (time.monotonic_ns() - start_ns) // 1000
    return Untaken(answer, max(0, idle_us))


def answer_without_end(fd: int) -> str:
    """How a connection answered that is still open: by ICMP, which TCP puts up with, or not at all.

    An ICMP error does not end an established connection, but is kept until it
    is asked for (net/ipv4/tcp_ipv4.c, tcp_v4_err, sk_err_soft).
    """
    (number,) = struct.unpack("i", _option(fd, SOL_SOCKET, SO_ERROR, 4))
    return cause(OSError(number, "")) if number else SILENCE


def _option(fd: int, level: int, name: int, size: int) -> bytes:
    """A socket's option, by its descriptor: what reads and writes it may be more than a socket."""
    sock = socket(fileno=fd)
    try:
        return sock.getsockopt(level, name, size)
    finally:
        sock.detach()
