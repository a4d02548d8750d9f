"""The keeper's door: sockets of the client namespace, for whoever generates load.

A socket belongs to the network namespace in which it was made, for good; who
uses it may be elsewhere. So a generator stays where its web page, its master
and its files are, and takes its connections from here: in one process or in
several, as root or as an ordinary user. They come bound to the next source, so
that all generators of a lab take their ports in turn.

The door is a socket in the abstract namespace of this machine: nothing of it
is left when the keeper is gone. It opens to the user who owns the lab.
"""

import array
import json
import os
import socket
import struct
from _socket import AF_INET, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM
from _socket import socket as _Socket  # noqa: N812
from collections.abc import Callable
from typing import Any

from ipvsload.testbed.lab import namespaces as ns
from ipvsload.testbed.lab.source_ports import Sources

MOST = 64
"""Sockets a message at most (SCM_MAX_FD is 253)."""
_LONGEST = 4096
_PEER = struct.Struct("3i")


class Door:
    """Listens as `name`; `watch` calls a function when a descriptor can be read."""

    def __init__(self, clients: list[str], watch: Callable[[int, Callable[[], None]], None],
                 forget: Callable[[int], None]) -> None:  # fmt: skip
        self._sources = Sources(clients)
        self._watch, self._forget = watch, forget
        self.name = f"ipvsload-{os.urandom(12).hex()}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind("\0" + self.name)
        self._listener.listen(64)
        watch(self._listener.fileno(), self._welcome)

    def between(self, client: int, director: int) -> None:
        """The namespaces: where sockets are made, and where this process lives."""
        self._client, self._director = client, director

    def _welcome(self) -> None:
        visitor, _ = self._listener.accept()
        peer = visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        # In an ordinary user's lab that user is root, and all others are nobody.
        if _PEER.unpack(peer)[1] != os.geteuid():
            visitor.close()
            return
        visitor.setblocking(False)
        self._watch(visitor.fileno(), lambda: self._serve(visitor))

    def _serve(self, visitor: socket.socket) -> None:
        try:
            request = visitor.recv(_LONGEST)
            if request:
                self._answer(visitor, json.loads(request))
                return
        except (OSError, ValueError, TypeError, KeyError):
            pass  # who asks badly, or does not take its answer, has to ask anew
        self._forget(visitor.fileno())
        visitor.close()

    def _answer(self, visitor: socket.socket, request: dict[str, Any]) -> None:
        made: list[_Socket] = []
        sources: list[tuple[str, int]] = []
        descriptors = array.array("i")
        ns.setns(self._client)
        try:
            if request.get("netstat"):
                descriptors.append(os.open("/proc/self/net/netstat", os.O_RDONLY | os.O_CLOEXEC))
            bound = bool(request.get("bound"))
            kind = SOCK_STREAM | SOCK_CLOEXEC | (SOCK_NONBLOCK if bound else 0)
            for _ in range(min(int(request.get("sockets", 0)), MOST)):
                sock = _Socket(AF_INET, kind)
                made.append(sock)
                descriptors.append(sock.fileno())
                if bound:
                    sources.append(self._sources.bind(sock))
            message = json.dumps(sources).encode()
            visitor.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        finally:
            ns.setns(self._director)
            if descriptors and not made:
                os.close(descriptors[0])
            for sock in made:
                sock.close()
