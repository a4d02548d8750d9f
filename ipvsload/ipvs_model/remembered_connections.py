"""What a director remembers of a connection, and those that are due together.

Timers are rounded up (timer_wheel.py), so many connections are forgotten at the same tick. They
stand in one bucket, and nothing must be sorted.
"""

from collections import deque

from ipvsload.ipvs_model.persistence_templates import Template
from ipvsload.ipvs_model.schedulers.base import Client


class RememberedConnection:
    """An entry of the kernel's table; `state` is a TcpState, `active` how it is counted."""

    __slots__ = ("active", "bucket", "client", "number", "state", "template")

    def __init__(self, client: Client, number: int, template: Template | None) -> None:
        self.client = client
        self.number = number
        self.template = template
        self.state = 0
        self.active = False
        self.bucket: Bucket = {}
        """Those that are forgotten together with it."""


Bucket = dict[RememberedConnection, None]


class TimeoutQueue:
    """Connections with one timeout of so many ticks, in buckets as they are due (ns).

    `shift` is what `TimerWheel.rounding` has of it.
    """

    __slots__ = ("buckets", "last", "last_due", "shift", "ticks")

    def __init__(self, ticks: int, shift: int) -> None:
        self.ticks, self.shift = ticks, shift
        self.buckets: deque[tuple[int, Bucket]] = deque()
        self.last: Bucket = {}
        self.last_due = 0
