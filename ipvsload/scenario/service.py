"""The virtual service that a scenario asks for."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ipvsload.ipvs.forwarding import MASQUERADING
from ipvsload.scenario.capacity import Capacity
from ipvsload.scenario.faults import refused
from ipvsload.scenario.names import MAX_CLIENTS, MAX_DIRECTORS, Family, ForwardingName, Spread
from ipvsload.scenario.source_port_choice import IN_TURN, SourcePortChoice
from ipvsload.scenario.strict import ServerCount, Strict, Weight


class Service(Strict, use_attribute_docstrings=True):
    """The virtual service as a run begins."""

    servers: ServerCount = 2
    """Real servers at the start; they are numbered from 1 in the order of joining."""
    weights: Annotated[tuple[Weight, ...], Field(strict=False)] = ()
    """One weight a server, in the order of joining; empty means 1 each."""
    clients: Annotated[int, Field(ge=1, le=MAX_CLIENTS)] = 1
    """Source addresses that the load comes from (sh and mh hash them)."""
    source_ports: Annotated[SourcePortChoice, Field(alias="source-ports")] = IN_TURN
    """Which port of its address a connection comes from: all `in-turn`, `random`, or, by a number,
    a fixed few that are used again and again. IPVS remembers a port's last connection for 120 s."""
    family: Family = "ipv4"
    """Whether clients, virtual service and real servers have addresses of IPv4 or of IPv6."""
    capacity: Capacity | None = None
    """What each real server can do at once; without it, any number of requests."""
    directors: Annotated[int, Field(ge=1, le=MAX_DIRECTORS)] = 1
    """Directors that balance over the same servers, as a cluster's nodes do: each has a table of
    its own and knows its own connections only."""
    spread: Spread = "connection"
    """Which director a connection goes through: `client` always the one of its client's address,
    `connection` the next in turn, `random` any."""
    forwarding: ForwardingName = MASQUERADING
    """How packets reach the real servers: masquerading, direct routing, or IP in IP.

    With dr and tun replies go past the director, which sees the client's half only.
    """

    @model_validator(mode="after")
    def _spread_over_several(self) -> Self:
        if "spread" in self.model_fields_set and self.directors == 1:
            raise refused("spread", "'spread' is over several directors, and there is one")
        return self

    @property
    def wiring(self) -> tuple[object, ...]:
        """All that a lab must be made anew for where another service differs in it."""
        return (
            self.clients,
            self.source_ports,
            self.family,
            self.directors,
            self.spread,
            self.forwarding,
        )
