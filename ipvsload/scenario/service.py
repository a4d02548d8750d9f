"""The virtual service that a scenario asks for."""

from typing import Annotated

from pydantic import Field

from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.names import MAX_CLIENTS
from ipvsload.scenario.strict import ServerCount, Strict, Weight


class Service(Strict, use_attribute_docstrings=True):
    """The virtual service as a run begins."""

    servers: ServerCount = 2
    """Real servers at the start; they are numbered from 1 in the order of joining."""
    weights: Annotated[tuple[Weight, ...], Field(strict=False)] = ()
    """One weight a server, in the order of joining; empty means 1 each."""
    clients: Annotated[int, Field(ge=1, le=MAX_CLIENTS)] = 1
    """Source addresses that the load comes from (sh and mh hash them)."""
    capacity: Capacity | None = None
    """What each real server can do at once; without it, any number of requests."""
