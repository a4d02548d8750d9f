"""Hands out sockets of the client namespace, to whoever generates load.

A socket belongs to the network namespace in which it was made, for good; its
user may be in another one. So a generator stays where its web page, its master
and its files are, and takes its connections from here: in one process or in
several, as root or as an ordinary user. They come bound to the next source
address and port, so that all generators of a lab take their ports in turn.

The broker listens in the abstract socket namespace of its owner's machine,
where nothing is left when its process has ended. It serves only the user who
owns the lab. The other side is `broker_client.py`.
"""

import errno
import os
import socket
import struct
from _socket import (
    AF_INET,
    AF_INET6,
    IPPROTO_TCP,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOCK_STREAM,
    TCP_QUICKACK,
)
from _socket import socket as _Socket  # noqa: N812

from ipvsload.testbed.lab import descriptor_messages
from ipvsload.testbed.lab.process_loop import ProcessLoop
from ipvsload.testbed.lab.source_ports import SourcePorts

_CREDENTIALS = struct.Struct("3i")  # struct ucred


class SocketBroker:
    """Listens as `name` where it was made; makes sockets where the process is then.

    A request is JSON: {"sockets": N} for N blocking sockets (with "ipv6": true of
    that family), {"sockets": N, "bound": true} for non-blocking ones that are bound.
    The answer has their descriptors, and as its text the [address, port] of each
    socket that is bound. There is one alone where ports are scarce, and none where
    none is free. {"begin": N} begins the ports of a run of repeat N; its answer is [].
    """

    def __init__(self, sources: SourcePorts, loop: ProcessLoop) -> None:
        self._sources = sources
        self._loop = loop
        self.name = f"ipvsload-{os.urandom(12).hex()}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind("\0" + self.name)
        self._listener.listen(64)
        loop.watch(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        # In an ordinary user's lab that user is root, and all others are nobody.
        if _CREDENTIALS.unpack(credentials)[1] != os.geteuid():
            client.close()
            return
        client.setblocking(False)
        self._loop.watch(client.fileno(), lambda: self._serve(client))

    def _serve(self, client: socket.socket) -> None:
        """Answer a request; who has gone, asks wrongly or takes no answer must connect again."""
        made: list[_Socket] = []
        sources: list[tuple[str, int]] = []
        try:
            request, _ = descriptor_messages.receive(client)
            if request is None:
                raise ConnectionResetError
            if repeat := request.get("begin"):
                self._sources.begin_run(int(repeat))
                descriptor_messages.send(client, [])
                return
            wanted = min(int(request["sockets"]), descriptor_messages.MAX_DESCRIPTORS)
            bound = bool(request.get("bound"))
            if bound and self._sources.scarce:
                wanted = min(wanted, 1)
            kind = SOCK_STREAM | SOCK_CLOEXEC | (SOCK_NONBLOCK if bound else 0)
            family = AF_INET6 if request.get("ipv6") else AF_INET
            if bound:
                family = self._sources.family
            for _ in range(wanted):
                made.append(_Socket(family, kind))
                if bound:
                    # The handshake's last packet is the one that has the request
                    # (net/ipv4/tcp_input.c, tcp_rcv_synsent_state_process): one less to carry.
                    made[-1].setsockopt(IPPROTO_TCP, TCP_QUICKACK, 0)
                    try:
                        sources.append(self._sources.bind(made[-1]))
                    except OSError as error:
                        if error.errno != errno.EADDRNOTAVAIL or not self._sources.scarce:
                            raise
                        made.pop().close()
            descriptor_messages.send(client, sources, [sock.fileno() for sock in made])
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self._loop.forget(client.fileno())
            client.close()
        finally:
            for sock in made:
                sock.close()
