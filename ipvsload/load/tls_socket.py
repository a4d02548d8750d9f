"""A connection with TLS that the HTTP client uses as it uses a plain socket.

The loop knows system calls and readiness; TLS is put between them, in memory.
So `send` and `recv` here do what those of a non-blocking socket do: also the
handshake, of which the caller sees only that nothing could be sent yet.
"""

import errno
import ssl
from collections.abc import Callable
from contextlib import suppress

from ipvsload.load.exchange import Connection
from ipvsload.scenario.url import Tls
from ipvsload.tls import client_context, refusal

_CHUNK = 16_384


def encryption(host: str, tls: Tls) -> Callable[[Connection], Connection]:
    """What puts TLS over a connection to `host` that is begun. Raises UsageError."""
    context = client_context(tls)
    return lambda sock: TlsSocket(sock, context, host)


class TlsError(OSError):
    """The handshake failed, or what came is no TLS; `strerror` says why in a few words."""

    def __init__(self, error: ssl.SSLError) -> None:
        super().__init__(errno.EPROTO, refusal(error))


class TlsSocket:
    """`sock` is non-blocking, its connection begun; `server` is the name that it must prove."""

    def __init__(self, sock: Connection, context: ssl.SSLContext, server: str) -> None:
        self._sock = sock
        self._come, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._come, self._going, server_hostname=server)
        self._unsent = b""
        self._ready = False
        self._broken: OSError | None = None
        """What the system said of the connection, which it says once, behind what had come."""
        self.fileno = sock.fileno
        self.close = sock.close

    def send(self, data: bytes) -> int:
        """Take all of `data`, once the handshake is done.

        Raises BlockingIOError before, TlsError where it fails, and OSError.
        """
        while not self._ready:
            try:
                self._tls.do_handshake()
                self._ready = True
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            except ssl.SSLError as error:
                with suppress(OSError):
                    self._flush()  # the alert, so that the server knows why
                raise TlsError(error) from None
        taken = self._tls.write(data)
        self._flush()
        return taken

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; less only if no more has come. b"" at the end.

        Raises BlockingIOError where nothing has come, TlsError and OSError.
        """
        if self._broken is not None:
            raise self._broken
        self._flush()
        found = b""
        while len(found) < size:
            try:
                data = self._tls.read(size - len(found))
            except ssl.SSLWantReadError:
                try:
                    self._receive()
                except BlockingIOError:
                    if found:
                        break
                    raise
                except OSError as error:
                    if found:
                        self._broken = error
                        break
                    raise
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                break
            except ssl.SSLError as error:
                if found:
                    break
                raise TlsError(error) from None
            if not data:
                break
            found += data
        return found

    def _receive(self) -> None:
        data = self._sock.recv(_CHUNK)
        if data:
            self._come.write(data)
        else:
            self._come.write_eof()

    def _flush(self) -> None:
        """Send what is encrypted; what the socket does not take waits for the next call."""
        self._unsent += self._going.read()
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except BlockingIOError:
            pass
