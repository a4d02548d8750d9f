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

import array
import json
import os
import socket
import struct
from _socket import AF_INET, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM
from _socket import socket as _Socket  # noqa: N812
from typing import Any

from ipvsload.testbed.lab.broker_client import MAX_SOCKETS
from ipvsload.testbed.lab.process_loop import ProcessLoop
from ipvsload.testbed.lab.source_ports import SourcePorts

_MAX_REQUEST = 4096
_CREDENTIALS = struct.Struct("3i")  # struct ucred


class SocketBroker:
    """Listens as `name` where it was made; makes sockets where the process is then.

    A request is JSON: {"sockets": N} for N blocking sockets, {"sockets": N,
    "bound": true} for non-blocking ones that are bound, {"netstat": true} for a
    descriptor of /proc/net/netstat. The answer has the descriptors, and as its
    text the [address, port] of each socket that is bound.
    """

    def __init__(self, clients: list[str], loop: ProcessLoop) -> None:
        self._sources = SourcePorts(clients)
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
        try:
            request = client.recv(_MAX_REQUEST)
            if request:
                self._answer(client, json.loads(request))
                return
        except (OSError, ValueError, TypeError, KeyError):
            pass  # a bad request, or an answer that is not taken: the client must connect again
        self._loop.forget(client.fileno())
        client.close()

    def _answer(self, client: socket.socket, request: dict[str, Any]) -> None:
        made: list[_Socket] = []
        sources: list[tuple[str, int]] = []
        descriptors = array.array("i")
        try:
            if request.get("netstat"):
                descriptors.append(os.open("/proc/self/net/netstat", os.O_RDONLY | os.O_CLOEXEC))
            bound = bool(request.get("bound"))
            kind = SOCK_STREAM | SOCK_CLOEXEC | (SOCK_NONBLOCK if bound else 0)
            for _ in range(min(int(request.get("sockets", 0)), MAX_SOCKETS)):
                sock = _Socket(AF_INET, kind)
                made.append(sock)
                descriptors.append(sock.fileno())
                if bound:
                    sources.append(self._sources.bind(sock))
            message = json.dumps(sources).encode()
            client.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        finally:
            if descriptors and not made:
                os.close(descriptors[0])
            for sock in made:
                sock.close()
