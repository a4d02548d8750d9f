"""The words and limits that both the file's types and the expressions know.

They are not in model.py, because expressions need them and the model needs
expressions.
"""

from typing import TYPE_CHECKING, Literal

from ipvsload.ipvs.forwarding import FORWARDINGS
from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.scenario.balancers import BALANCERS

SECTIONS = (*BALANCERS, "all", "compare")
"""Where expectations may stand."""
if TYPE_CHECKING:
    BalancerName = str
    ForwardingName = str
    SchedulerName = str
    Section = str
else:  # from the registry, which a type checker cannot read
    BalancerName = Literal[tuple(BALANCERS)]
    ForwardingName = Literal[tuple(FORWARDINGS)]
    SchedulerName = Literal[tuple(SCHEDULERS)]
    Section = Literal[SECTIONS]
MAX_SERVERS = 1000
MAX_CLIENTS = 100
MAX_DIRECTORS = 16
Spread = Literal["client", "connection", "random"]
"""Which director a connection goes through: always the one of its client's address, the next
in turn, or any."""
MAX_USERS = 10_000
MAX_WEIGHT = 65_535
NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,31}$"
