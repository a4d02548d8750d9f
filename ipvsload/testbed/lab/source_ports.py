"""Source addresses and ports, each used again as late as possible unless a scenario wants it.

IPVS remembers a connection for two minutes after its end. A client port that
comes again in that time meets the old entry, even one of another virtual
service, because replies are told apart by server and client only. The answer
is then sent back under the wrong address, and the request is tried again a
second later. The kernel chooses ports at random, so a few thousand requests
are enough for that; this takes them in turn, over all runs of a lab and all
its generators.

A scenario may want them at random all the same, or a fixed few again and
again, as clients behind a gateway have them. Of the few each run has others
than the last one, so that it meets the entries of its own service only.

Where there are several directors, the port also says which of them the
connection goes through (`topology.py`).

All runs of a repeat have their connections come from the same clients and go through the same
directors, in the same order: what is compared has the same load. Only the ports differ, because
IPVS remembers those of the run before.
"""

import errno
import random
from _socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from collections.abc import Callable, Sequence

from ipvsload.testbed.lab.addresses import IPV6
from ipvsload.testbed.lab.topology import Topology

_TRIES = 100
_MOST_TRIES = 1_000
"""Of a fixed few: so that nobody waits long for the answer that all of them are in use."""
_NEXT_REPEAT = 7_919
"""How many ports are between the first ones of two repeats: a prime, so that they meet late."""


class SourcePorts:
    """Hands out (address, port) as `topology` says; `clients` are this machine's addresses.

    `family` is that of their sockets.
    """

    def __init__(self, clients: Sequence[str], topology: Topology) -> None:
        self._clients, self._directors = tuple(clients), tuple(topology.director_ports)
        self.family = AF_INET6 if topology.family == IPV6 else AF_INET
        many, directors = len(self._clients), len(self._directors)
        self._used = [[0] * directors for _ in self._clients]
        self._turn = 0
        self._spread, self._seed = topology.spread, topology.seed
        self._few = topology.source_ports if isinstance(topology.source_ports, int) else 0
        self._in_turn = topology.source_ports != "random"
        self._chance = random.Random(f"source ports {topology.seed}")
        self._run = 0
        self._choose = self._choice(1)
        self._tries = min(many * directors * self._few, _MOST_TRIES) if self._few else _TRIES

    @property
    def scarce(self) -> bool:
        """Whether a port must not be held before it is needed, because there are few."""
        return self._few > 0

    def begin_run(self, repeat: int, *, remembered: bool = True) -> None:
        """A run of this repeat begins, with the same clients and directors as its others.

        Ports go on, and a fixed few are others, until there are no others any more. Where none
        is `remembered`, all runs of a repeat have the same ports, and other repeats others.
        """
        self._run += 1
        self._turn = 0
        self._choose = self._choice(repeat)
        if not remembered:
            self._run = repeat
            first = (repeat - 1) * _NEXT_REPEAT
            self._used = [[first] * len(self._directors) for _ in self._clients]
            self._chance = random.Random(f"source ports {self._seed}/{repeat}")

    def _choice(self, repeat: int) -> "Choice":
        many, directors = len(self._clients), len(self._directors)
        return _CHOICES[self._spread](many, directors, f"directors {self._seed}/{repeat}")

    def take(self) -> tuple[str, int]:
        """The next one; in turn the same comes again after 63,488 for each client address.

        Where there are several directors, it may be after as many as lead through one.
        """
        client, director = self._choose(self._turn)
        self._turn += 1
        ports, used = self._directors[director], self._used[client]
        place = used[director]
        used[director] += 1
        if self._few:
            place = self._run * self._few + place % self._few
        elif not self._in_turn:
            place = self._chance.randrange(len(ports))
        return self._clients[client], ports[place % len(ports)]

    def bind(self, sock: socket) -> tuple[str, int]:
        """Give `sock` the next one that is free, and return it.

        Raises OSError, EADDRNOTAVAIL where none is free.
        """
        if not self._few and self._in_turn:
            # Else one that an open connection has, or the kernel remembers, is not free.
            sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        for _ in range(self._tries):
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


def _by_client(clients: int, directors: int, _seed: str) -> Choice:
    return lambda turn: (turn % clients, turn % clients % directors)


def _by_connection(clients: int, directors: int, _seed: str) -> Choice:
    # Not both by `turn`: a client would always meet the same directors.
    return lambda turn: (turn // directors % clients, turn % directors)


def _by_chance(clients: int, directors: int, seed: str) -> Choice:
    chance = random.Random(seed)
    return lambda turn: (turn % clients, chance.randrange(directors))


_CHOICES: dict[str, Callable[[int, int, str], Choice]] = {
    "client": _by_client,
    "connection": _by_connection,
    "random": _by_chance,
}
