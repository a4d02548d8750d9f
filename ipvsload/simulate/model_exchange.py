"""A simulated request on its way: what a workload and the network of the model both know of it."""

from typing import Protocol

from ipvsload.scenario.connection import Lifetime
from ipvsload.simulate.model_pages import PageAnswer


class ModelSender(Protocol):
    """Who sends requests: a workload."""

    reuse: bool
    """Whether a connection may carry more than one request."""
    lifetime: Lifetime | None
    """How long it may do so; None: for good."""
    retry: bool
    """Whether a request that a kept connection did not take is sent again."""

    def ended(self, exchange: "ModelExchange", error: str | None) -> None:
        """The exchange has its answer, or an error."""


class ModelExchange:
    """The present or last request of a user or an arrival.

    See `load/exchange.py`: the fields mean the same. `asked` is what the server answers to it.
    """

    __slots__ = ("asked", "busy", "client", "director", "idle_since", "idle_us",
                 "leaving", "owner", "planned", "port", "queue_us", "retried", "reused", "server",
                 "start", "status", "untaken", "work_us")  # fmt: skip

    def __init__(self, owner: ModelSender) -> None:
        self.owner = owner
        self.asked = PageAnswer(0, 0, 0.0)
        self.busy = self.leaving = self.reused = False
        self.planned = self.start = self.idle_since = 0
        self.client, self.port, self.director = "", 0, 0
        self.server: str | None = None
        self.status = 0
        self.work_us: int | None = None
        self.queue_us: int | None = None
        self.untaken: str | None = None
        self.idle_us = self.retried = 0
