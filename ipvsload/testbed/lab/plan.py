"""What the owner of a lab asks its supervisor for, and what it gets."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ipvsload.testbed.lab.topology import Topology

MAX_MESSAGE = 1 << 18
"""Bytes of one message between the owner and the supervisor."""


class ReadyKernel(NamedTuple):
    """A director's kernel that balances."""

    provider: str
    """A name in `kernels.KERNELS`."""
    release: str
    booted: float
    """Seconds from its start until its first program ran; 0 for the host's own."""


class LabPlan(NamedTuple):
    """A lab, as the first message to its supervisor."""

    topology: Topology
    kernels: Mapping[str, Sequence[str]]
    """Kernel providers to try, in order, each with its variants."""
    modules: Sequence[str]
    """Kernel modules that a director of its own kernel loads at once."""
    import_path: Sequence[str]
    """Where Python finds ipvsload and pyroute2."""
    keep_visible: Sequence[str]
    """Paths that are read in the lab: nothing may be mounted over them."""
    owner: int
    """The owner's process id."""

    def encode(self) -> bytes:
        """The plan as JSON."""
        return json.dumps(self).encode()

    @classmethod
    def decode(cls, data: bytes) -> "LabPlan":
        """The plan out of what `encode` made."""
        topology, *rest = json.loads(data)
        return cls(Topology(*topology), *rest)
