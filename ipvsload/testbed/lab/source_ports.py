"""Source addresses and ports, each used again as late as possible.

IPVS remembers a connection for two minutes after its end. A client port that
comes again in that time meets the old entry, even one of another virtual
service, because replies are told apart by server and client only. The answer
is then sent back under the wrong address, and the request is tried again a
second later. The kernel chooses ports at random, so a few thousand requests
are enough for that; this takes them in turn, over all runs of a lab and all
its generators.

Where there are several directors, the port also says which of them the
connection goes through (`topology.py`).
"""

import errno
import random
from _socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from collections.abc import Callable, Sequence

from ipvsload.testbed.lab.topology import SOURCE_PORTS

_TRIES = 100


class SourcePorts:
    """Hands out (address, port) in turn; `clients` are this machine's addresses.

    `directors` has the ports that lead through each; `spread` is one of
    scenario.names.Spread, and `seed` that of its choice by chance.
    """

    def __init__(
        self,
        clients: Sequence[str],
        directors: Sequence[range] = (SOURCE_PORTS,),
        spread: str = "connection",
        seed: int = 1,
    ) -> None:
        self._clients, self._directors = tuple(clients), tuple(directors)
        self.family = AF_INET6 if ":" in self._clients[0] else AF_INET
        self._used = [[0] * len(directors) for _ in clients]
        self._turn = 0
        self._choose = _CHOICES[spread](len(clients), len(directors), seed)

    def take(self) -> tuple[str, int]:
        """The next one; the same comes again after 63,488 for each client address.

        Where there are several directors, it may be after as many as lead through one.
        """
        client, director = self._choose(self._turn)
        self._turn += 1
        ports, used = self._directors[director], self._used[client]
        port = ports[used[director] % len(ports)]
        used[director] += 1
        return self._clients[client], port

    def bind(self, sock: socket) -> tuple[str, int]:
        """Give `sock` the next one that is free, and return it. Raises OSError."""
        sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        for _ in range(_TRIES):
            source = self.take()
            try:
                sock.bind(source)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return source
        raise OSError(errno.EADDRNOTAVAIL, "no free source port")


Choice = Callable[[int], tuple[int, int]]
"""Gives the client and the director, counted from 0, of connection 0, 1, ..."""


def _by_client(clients: int, directors: int, _seed: int) -> Choice:
    return lambda turn: (turn % clients, turn % clients % directors)


def _by_connection(clients: int, directors: int, _seed: int) -> Choice:
    # Not both by `turn`: a client would always meet the same directors.
    return lambda turn: (turn // directors % clients, turn % directors)


def _by_chance(clients: int, directors: int, seed: int) -> Choice:
    chance = random.Random(seed)
    return lambda turn: (turn % clients, chance.randrange(directors))


_CHOICES: dict[str, Callable[[int, int, int], Choice]] = {
    "client": _by_client,
    "connection": _by_connection,
    "random": _by_chance,
}
