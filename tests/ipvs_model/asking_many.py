"""Many short connections through a lab, quickly: who was served by whom."""

import errno
import select
from collections.abc import Iterator
from typing import Any

from ipvsload.ipvs_model.director_model import DirectorModel
from ipvsload.ipvs_model.schedulers.base import Client
from ipvsload.testbed.base import Target
from ipvsload.testbed.lab.broker_client import LabSockets
from tests.patience import HUNG_AFTER_S

Asked = list[tuple[Client, str | None]]

_AT_ONCE = 32
_ASKED = b"GET /ip HTTP/1.1\r\nHost: there\r\nConnection: close\r\n\r\n"
_NAMED = b"X-Real-Server: "


def ask_many(sockets: LabSockets, target: Target, count: int) -> Asked:
    """Each connection's client and server, in the order of their SYNs; None: it was refused."""
    left, answers = count, dict[Client, str | None]()
    open_now: dict[int, tuple[Any, Client, bytearray]] = {}
    with select.epoll() as poll:
        while left or open_now:
            while left and len(open_now) < _AT_ONCE:
                sock, address, port = sockets.take()
                client = Client(address, port)
                answers[client] = None
                assert sock.connect_ex((target.host, target.port)) == errno.EINPROGRESS
                open_now[sock.fileno()] = sock, client, bytearray()
                poll.register(sock.fileno(), select.EPOLLOUT)
                left -= 1
            ready = poll.poll(HUNG_AFTER_S)
            assert ready, f"no answer to {[client for _, client, _ in open_now.values()]}"
            for descriptor, events in ready:
                sock, client, got = open_now[descriptor]
                if events & select.EPOLLERR:
                    ended = True
                elif events & select.EPOLLOUT:
                    sock.sendall(_ASKED)
                    poll.modify(descriptor, select.EPOLLIN)
                    ended = False
                else:
                    data = sock.recv(4096)
                    got += data
                    ended = not data
                if ended:
                    if got:
                        answers[client] = got.partition(_NAMED)[2].split()[0].decode()
                    poll.unregister(descriptor)
                    sock.close()
                    del open_now[descriptor]
    return list(answers.items())


def disagreements(
    model: DirectorModel, asked: Asked, now_ns: int
) -> Iterator[tuple[Client, str | None, str | None]]:
    """The connections that the model would have given to another server, with both."""
    for client, server in asked:
        number = model.choose(client, now_ns)
        if number is not None:
            model.opened(client, number, now_ns)
        chosen = None if number is None else model.servers.addresses[number]
        if chosen != server:
            yield client, server, chosen
