"""A netlink socket that asks and is answered, whatever family of netlink it is.

A plain one: pyroute2's own sockets use asyncio. That adds 0.4 s to a start in user-mode
Linux, and two greenlets of one process cannot use such sockets at the same time.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator

from ipvsload.ipvs.decode import Batch, Decoder, InterruptedDumpError

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
_ERROR = 2
_TRIES = 3
_BUFFER = 1 << 16  # netlink_dump makes datagrams of 32 KiB at most
_TIMEOUT = struct.pack("@ll", 5, 0)  # a struct timeval: the kernel answers at once or never
_GONE = (errno.ESRCH, errno.ENOENT)


class NetlinkSocket:
    """One socket of `family` (NETLINK_*) in this network namespace. Not for two threads at once.

    Raises OSError where the kernel has no such family.
    """

    def __init__(self, family: int) -> None:
        self._sequence = 0
        self._buffer = bytearray(_BUFFER)
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
            self._socket.bind((0, 0))
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def dump(self, request: bytearray, decoder: Decoder) -> list[Batch]:
        """Send `request` and decode all that answers it; see Decoder.feed.

        Nothing answers for what is not there. Raises InterruptedDumpError where the table
        changed during each of three readings, DecodeError, and OSError.
        """
        for _ in range(_TRIES):
            try:
                return self._dump_once(request, decoder)
            except InterruptedDumpError:
                continue
            except OSError as error:
                if error.errno in _GONE:
                    return []
                if error.errno != errno.ENOBUFS:
                    raise
        raise InterruptedDumpError(f"the kernel's table changed during each of {_TRIES} readings")

    def parts(self, request: bytearray, decoder: Decoder) -> Iterator[list[Batch]]:
        """A dump piece by piece: whoever takes the next one decides when the kernel goes on.

        No other request of this socket may come in between. Raises as `dump`, at once.
        """
        sequence, done = self._send(request), False
        while not done:
            size = self._socket.recv_into(self._buffer)
            found, done = decoder.feed(memoryview(self._buffer)[:size], sequence)
            yield found

    def _dump_once(self, request: bytearray, decoder: Decoder) -> list[Batch]:
        batches: list[Batch] = []
        datagrams = 0
        for found in self.parts(request, decoder):
            batches += found
            datagrams += 1
        # IPVS never sets NLM_F_DUMP_INTR. A server that joins between two
        # datagrams moves the others back by one, so one of them is in both.
        if datagrams > 2 and decoder.has_duplicates(batches):
            raise InterruptedDumpError
        return batches

    def ask(self, request: bytearray) -> bytes:
        """Send one request; return its answer, or b"" for a mere acknowledgement.

        Raises OSError with the number that the kernel answered.
        """
        sequence = self._send(request)
        while True:
            data = self._socket.recv(_BUFFER)
            _, type_, _, number = struct.unpack_from("=IHHI", data)
            if number != sequence:
                continue
            if type_ != _ERROR:
                return data
            code = -struct.unpack_from("=i", data, 16)[0]
            if code:
                raise OSError(code, os.strerror(code))
            return b""

    def _send(self, request: bytearray) -> int:
        self._sequence = self._sequence + 1 & 0xFFFFFFFF
        struct.pack_into("=I", request, 8, self._sequence)
        self._socket.send(request)
        return self._sequence
