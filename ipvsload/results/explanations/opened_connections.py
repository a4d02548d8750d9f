"""The connections that were opened in a run: how many, when, and where clients' ones went."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ipvsload.record.request_table import RequestColumns, RequestTable

_LOOKED_AT = 1 << 20
"""Of more connections the first ones say whether clients change servers all the time."""


class OpenedConnections:
    """Those of a client's address; `len` is their number. Of each its first request is meant.

    `clients` are the addresses, `first_us` is when the first one began (0 without any), and
    `answered` whether any request on them had an answer.
    """

    def __init__(self, requests: RequestTable) -> None:
        self._requests = requests
        self._many = 0
        clients: set[int] = set()
        firsts: list[int] = []
        self.answered = False
        for block in self._blocks("start_us", "status"):
            self._many += len(block.client)
            clients |= set(np.unique(block.client).tolist())
            firsts.append(int(block.start_us.min()))
            self.answered = self.answered or bool(block.status.any())
        self.clients = {requests.texts[client] or "" for client in clients}
        self.first_us = min(firsts, default=0)

    def __len__(self) -> int:
        return self._many

    @cached_property
    def most_changes(self) -> int:
        """How often a client's connections changed servers, of the client where it was most."""
        columns = []
        seen = 0
        for block in self._blocks("start_us", "server"):
            seen += len(block.client)
            known = block.where(np.isin(block.server, self._no_servers, invert=True))
            columns.append(np.array([known.client, known.start_us, known.server], np.int64))
            if seen >= _LOOKED_AT:
                break
        if not seen:
            return 0
        client, start, server = np.concatenate(columns, axis=1)
        order = np.lexsort((start, client))
        client, server = client[order], server[order]
        same = client[1:] == client[:-1]
        changes = np.bincount(client[1:][same & (server[1:] != server[:-1])])
        return int(changes.max(initial=0))

    @property
    def _no_servers(self) -> list[int]:
        return [place for place, text in enumerate(self._requests.texts) if not text]

    def _blocks(self, *columns: str) -> Iterator[RequestColumns]:
        for block in self._requests.blocks("reused", "client", *columns):
            opened = block.where(block.opened & (block.client != 0))
            if len(opened.client):
                yield opened
