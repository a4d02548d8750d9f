"""Virtual servers with all that is needed to put them back, and their JSON.

A sample has what changes; this has what somebody has set: how packets are
forwarded, thresholds, netmask, persistence. Pure.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ipvsload.ipvs.schedulers import PERSISTENT


class SavedServer(NamedTuple):
    """One real server; numbers as the kernel has them, the tunnel's port in host order."""

    address: str
    forward: int
    weight: int
    upper: int = 0
    lower: int = 0
    tunnel_type: int = 0
    tunnel_port: int = 0
    tunnel_flags: int = 0


class SavedService(NamedTuple):
    """One virtual server; `persistent_timeout` in seconds, `netmask` as 32 raw bits.

    `servers` are oldest first. `complete` is False where it was read out of
    /proc, which does not tell thresholds, the scheduler's flags, the persistence
    engine, and how many seconds persistence lasts.
    """

    key: str
    scheduler: str
    flags: int = 0
    persistent_timeout: int = 0
    netmask: int = 0
    engine: str = ""
    servers: tuple[SavedServer, ...] = ()
    complete: bool = True

    @property
    def persistent(self) -> bool:
        """Whether a client keeps its server."""
        return bool(self.flags & PERSISTENT)

    def to_json(self) -> dict[str, Any]:
        """As plain objects, each value with its name, for people too."""
        return {**self._asdict(), "servers": [server._asdict() for server in self.servers]}


def from_json(value: Mapping[str, Any]) -> SavedService:
    """The inverse of `to_json`. Raises TypeError, KeyError where it is none."""
    servers = tuple(SavedServer(**server) for server in value["servers"])
    return SavedService(**{**value, "servers": servers})
